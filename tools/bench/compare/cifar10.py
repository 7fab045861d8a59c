"""CIFAR-10's binary files, for PyTorch's side of a comparison: a record is the label, then planes of HEIGHT x WIDTH."""

HEIGHT, WIDTH, CHANNELS, CLASSES = 32, 32, 3, 10
RECORD_BYTES = 1 + CHANNELS * HEIGHT * WIDTH
