"""The layout of CIFAR-10's binary files: a record is the label, then planes of HEIGHT x WIDTH."""

HEIGHT, WIDTH, CHANNELS, CLASSES = 32, 32, 3, 10
RECORD_BYTES = 1 + CHANNELS * HEIGHT * WIDTH
