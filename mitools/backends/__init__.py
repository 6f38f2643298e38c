"""Devices, threads and random numbers: the only room that knows where tensors live."""

from mitools.backends.devices import resolve_device
from mitools.backends.seeding import derive_seed, seeded
from mitools.backends.streams import in_streams, stream_count

__all__ = ["derive_seed", "in_streams", "resolve_device", "seeded", "stream_count"]
