"""The benchmarks of `bin/bench`: Cabestan beside the bare tools, on this machine, in one run."""
