# Everything that is done to this book. `make` alone lists it.

python = .venv/bin/python
pytest = PYTHONHASHSEED=0 OMP_NUM_THREADS=1 PYTHONPATH=tests/notebooks:tools $(python) -m pytest
scripts = node_modules/.package-lock.json
# Twice as many as there are cores, since half of the tests wait for a browser or a kernel.
workers = $$((2 * $$(getconf _NPROCESSORS_ONLN)))

help:
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1  \2/p' Makefile | awk '{n=$$2; $$1=$$2=""; printf "  make %-12s%s\n", n, $$0}'

environment: ## create .venv with what requirements.txt pins
	@sh tools/environment.sh

book: environment ## execute what changed, render the book
	@$(python) tools/book.py
	@echo "It begins at _build/html/index.html. Serve it with: make serve"

serve: ## serve the rendered book on this machine
	@test -e _build/html/index.html || { echo "There is no book yet: make book" >&2; exit 1; }
	@echo "http://127.0.0.1:$(or $(PORT),8000)/ until you press Ctrl-C"
	@$(python) -m http.server --bind 127.0.0.1 --directory _build/html $(or $(PORT),8000)

lab: environment ## open the chapters in JupyterLab
	@$(python) -m jupyterlab --notebook-dir=book

test: environment ## run all tests: package, chapters, rules, build, browser
	@$(pytest) -n $(workers) --dist loadfile --no-loadscope-reorder --nbval --nbval-cell-timeout=300 -p nbval_strict $(if $(ORDER),--order=$(ORDER)) tests book

hostile: environment ## sweep all public callables with combinations of hostile values: COUNT=100
	@GLASSBOX_HOSTILE=$(or $(COUNT),100) $(pytest) -n $(workers) tests/hostile

refresh: environment ## execute chapters and store their outputs: CHAPTER=cnn; without it, all
	@$(python) tools/refresh.py $(CHAPTER)

text: environment ## turn a chapter into Markdown to edit: CHAPTER=cnn
	@$(python) tools/text.py to-text $(CHAPTER)

notebook: environment ## turn the edited Markdown back into the chapter: CHAPTER=cnn
	@$(python) tools/text.py to-notebook $(CHAPTER)

house: environment ## draw the rooms of the package anew, from its imports, into CONTRIBUTING.md
	@$(python) tools/house.py

lint: environment ## check the code of package, tests, chapters and scripts, and format it
	@$(python) -m ruff check --fix .
	@$(python) -m ruff format .
	@$(MAKE) --no-print-directory $(scripts)
	@node_modules/.bin/biome check --write

lock: | .venv/bin/uv ## pin all that requirements.txt entails; UPGRADE=1 for the newest of all
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-annotate $(if $(UPGRADE),--upgrade) \
		--no-emit-package glassbox-book --custom-compile-command "make lock" -o requirements.lock requirements.txt

.venv/bin/uv:
	@sh tools/environment.sh

scripts: $(scripts) ## bundle the scripts and styles that pages carry
	@node tools/bundle.mjs

# npm writes this file when it has installed what package-lock.json names.
$(scripts): package.json package-lock.json
	@command -v npm >/dev/null || { echo "This needs node and npm (Debian: apt-get install nodejs npm)." >&2; exit 1; }
	@npm ci --silent

bench: environment ## time the package beside what a reader would use instead
	@for file in benchmarks/*.py; do echo "== $$file"; PYTHONPATH=tests/browser $(python) "$$file" || exit 1; done

study: environment ## train what a chapter compares: CHAPTER=gan, SIZE=smoke, cpu or gpu
	@$(python) -m glassbox.chapters.$(CHAPTER).study --size $(or $(SIZE),smoke)

full-size: environment ## make all studies, or what is missing of them: SIZE=cpu
	@for study in src/glassbox/chapters/*/study.py; do \
		name=$$(basename $$(dirname "$$study")); echo "== $$name"; \
		$(python) -m glassbox.chapters.$$name.study --size $(or $(SIZE),cpu) --part all || exit 1; \
	done

clean: ## remove what was built, but not .venv
	rm -rf _build

.PHONY: help environment book serve lab test hostile refresh text notebook house lint lock scripts bench study full-size clean
