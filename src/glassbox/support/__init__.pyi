from .progress import progress_bar as progress_bar
from .seeds import isolated_seed as isolated_seed
from .seeds import seed_everything as seed_everything
from .tables import Table as Table
