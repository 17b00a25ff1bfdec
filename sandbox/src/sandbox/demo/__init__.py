"""`make demo`: the main job, played through the public interfaces on the real parts, and checked."""
