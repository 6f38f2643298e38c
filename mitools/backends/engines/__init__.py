"""Where independent tasks run: processes of this machine, a Dask cluster, or SLURM."""
