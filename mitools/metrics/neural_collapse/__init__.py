"""How far features have collapsed onto the means of their classes: the four signs of Papyan et al. 2020."""
