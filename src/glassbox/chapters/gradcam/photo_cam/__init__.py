"""Your own picture: a network trained on ImageNet that runs in the page, and its map."""
