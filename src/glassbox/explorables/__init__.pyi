from .controls import buttons as buttons
from .controls import dropdown as dropdown
from .controls import slider as slider
from .controls import slider_over as slider_over
from .controls import toggle as toggle
from .showing import explore as explore
