"""Property tests here are judged by their result: on a busy machine the first example loads Arrow's kernels."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
