"""Studies of Tian, Krishnan and Isola 2020 (Contrastive multiview coding)."""
