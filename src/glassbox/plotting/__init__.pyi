from .charts import confusion_matrix as confusion_matrix
from .charts import curves as curves
from .figures import Figure as Figure
from .figures import figure as figure
from .image_rows import image_rows as image_rows
from .images import feature_maps as feature_maps
from .images import image_grid as image_grid
