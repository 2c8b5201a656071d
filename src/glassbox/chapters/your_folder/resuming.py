"""What lies in the folder for results: of the same training, of another one, or nothing."""

import json
from pathlib import Path
from typing import Any

from glassbox.chapters.your_folder.options import Options
from glassbox.chapters.your_folder.pictures import Folder, read_folder
from glassbox.chapters.your_folder.watch import say
from glassbox.support.files import write_text
from glassbox.training.distributed import from_first_process, process_rank


def folders_of(data: Path) -> tuple[Path, Path | None]:
    """Give the folder to train on and the one to test on: ``train`` and ``test``, where they are.

    Without a folder ``train``, the folder itself has the classes, and there is no test.
    """
    train, test = data / "train", data / "test"
    if not train.is_dir():
        return data, None
    return train, test if test.is_dir() else None


def begin(options: Options) -> dict[str, Any] | None:
    """Make the folder for results, or give the result that lies there.

    Raises:
        ValueError: In all processes, if it is no place for results, or has those of another
            training.
    """
    problem, finished = None, None
    if process_rank() == 0:
        try:
            _check_place(options)
            options.out.mkdir(parents=True, exist_ok=True)
            finished = _compare(options)
        except OSError as error:  # to be raised in all processes
            problem = f"--out is {options.out}, expected a folder to write into: {error.strerror}"
        except ValueError as error:
            problem = str(error)
    problem, finished = from_first_process((problem, finished))
    if problem:
        raise ValueError(problem)
    return finished


def write_record(options: Options) -> None:
    """Write down with which flags a training begins, from the first process."""
    if process_rank() == 0:
        text = json.dumps(options.decisive(), indent=1)
        write_text(options.out / "options.json", f"{text}\n")


def stamps(train: Folder, test: Folder | None) -> dict[str, str | None]:
    """Give what tells whether a result is of the same pictures."""
    return {"train": train.stamp, "test": test.stamp if test else None}


def _check_place(options: Options) -> None:
    """Refuse a folder for results among the classes: the next run would take it for one."""
    out = options.out.resolve()
    for part in folders_of(options.data):
        if part and out.is_relative_to(part.resolve()):
            raise ValueError(
                f"--out is {options.out}, in {part}, whose folders are classes, expected one "
                "outside of it"
            )


def _compare(options: Options) -> dict[str, Any] | None:
    """Refuse to go on with other flags or pictures than those of the training that lies there."""
    record, result = options.out / "options.json", options.out / "result.json"
    if not result.exists() and not (options.out / "checkpoint.pt").exists():
        return None  # nothing was trained yet
    if record.exists():
        begun = _read(record)
        for name, value in json.loads(json.dumps(options.decisive())).items():
            if begun.get(name) != value:
                flag = f"--{name.replace('_', '-')}"
                raise ValueError(
                    f"{flag} is {value}, expected {begun.get(name)}, with which the training in "
                    f"{options.out} began; give another --out to begin another one"
                )
    if not result.exists():
        return None
    finished = _read(result, "classes", "pictures")
    train, test = folders_of(options.data)
    found = stamps(read_folder(train), test and read_folder(test, finished["classes"]))
    if found != finished["pictures"]:
        raise ValueError(
            f"--data is {options.data}, expected the pictures of the training in {options.out}: "
            "names or sizes are others; give another --out to begin another one"
        )
    say(f"This training has ended, and its test folder was measured: {result}", options.out)
    return finished


def _read(path: Path, *keys: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError:  # no JSON, or no UTF-8
        found = None
    if not isinstance(found, dict) or not found.keys() >= {*keys}:
        raise ValueError(f"{path} is damaged, expected what a training wrote: give another --out")
    return found
