from .cross_entropy import BalancedCrossEntropy as BalancedCrossEntropy
from .cross_entropy import CrossEntropy as CrossEntropy
from .cross_entropy import FocalLoss as FocalLoss
from .cross_entropy import LogitAdjustedLoss as LogitAdjustedLoss
from .deferred import DeferredReweighting as DeferredReweighting
from .deferred import deferred_weights as deferred_weights
from .ldam import LDAMLoss as LDAMLoss
from .ldam import ldam_margins as ldam_margins
