from .gan import GAN as GAN
from .gan import GANHistory as GANHistory
from .gan import Snapshots as Snapshots
from .gan import discriminator_step as discriminator_step
from .gan import generator_step as generator_step
from .gan import train_gan as train_gan
from .gan_losses import least_squares as least_squares
from .gan_losses import minimax as minimax
from .gan_losses import non_saturating as non_saturating
from .gaussian_ring import COLLAPSED as COLLAPSED
from .gaussian_ring import HEALTHY as HEALTHY
from .gaussian_ring import count_modes as count_modes
from .gaussian_ring import draw_ring as draw_ring
from .gaussian_ring import ring_centers as ring_centers
from .gaussian_ring import train_ring as train_ring
from .generative_metrics import class_balance as class_balance
from .generative_metrics import frechet_distance as frechet_distance
from .generative_metrics import layer_features as layer_features
from .generative_metrics import (
    precision_recall_density_coverage as precision_recall_density_coverage,
)
