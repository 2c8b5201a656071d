"""Losses for long tails, all of which take hard, soft and mixed labels.

They share one core, :class:`glassbox.losses.core.ClassLoss`, so that weights, reductions and
ignored labels mean the same in each.
"""

from glassbox.losses.core import ClassLoss as ClassLoss
from glassbox.losses.cross_entropy import BalancedCrossEntropy as BalancedCrossEntropy
from glassbox.losses.cross_entropy import CrossEntropy as CrossEntropy
from glassbox.losses.cross_entropy import FocalLoss as FocalLoss
from glassbox.losses.cross_entropy import LogitAdjustedLoss as LogitAdjustedLoss
from glassbox.losses.deferred import DeferredReweighting as DeferredReweighting
from glassbox.losses.deferred import deferred_weights as deferred_weights
from glassbox.losses.ldam import LDAMLoss as LDAMLoss
from glassbox.losses.ldam import ldam_margins as ldam_margins
