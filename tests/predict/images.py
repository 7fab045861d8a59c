"""images.py DATA OUT: test images of DATA, in CIFAR-10's format, as image files of many kinds.

exact/N.png is image N as it is. The files in same/ have the pixels of image 0 in other forms, all of which give the
same prediction; those in near/ lose some of them. broken/ holds files that cannot be read.
"""
import pathlib
import struct
import sys
import zlib

import numpy
from PIL import Image

records = numpy.fromfile(pathlib.Path(sys.argv[1], 'test_batch.bin'), numpy.uint8).reshape(-1, 3073)
images = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
out = pathlib.Path(sys.argv[2])
for folder in ('exact', 'same', 'near', 'broken'):
    (out / folder).mkdir(parents=True)


def save(array, name, **options):
    Image.fromarray(numpy.ascontiguousarray(array)).save(out / name, **options)


for i in range(5):
    save(images[i], f'exact/{i}.png')

first = images[0]
rotated = Image.Exif()
rotated[0x0112] = 6  # shown after a quarter turn clockwise
save(numpy.rot90(first), 'same/exif.png', exif=rotated)
save(numpy.dstack([first, numpy.full((32, 32), 255, numpy.uint8)]), 'same/alpha.PNG')
save(first.repeat(3, 0).repeat(3, 1), 'same/three_times.png')
wide = numpy.zeros((32, 52, 3), numpy.uint8)
wide[:, 10:42] = first
save(wide, 'same/wide.png')
high = numpy.zeros((96, 32, 3), numpy.uint8)
high[32:64] = first
save(high, 'same/high.png')


def chunk(name, data):
    return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))


def png(width, height, depth, colour, rows):
    header = struct.pack('>IIBBBBB', width, height, depth, colour, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')


deep = (first.astype('>u2') * 257).reshape(32, -1)  # Pillow writes no 16-bit colours
rows = b''.join(b'\0' + row.tobytes() for row in deep)
(out / 'same/deep.png').write_bytes(png(32, 32, 16, 2, rows))

large = first.repeat(8, 0).repeat(8, 1)
save(large, 'near/best.jpg', quality=95)
save(large, 'near/progressive.jpeg', quality=95, progressive=True)
save(numpy.rot90(large), 'near/exif.jpg', quality=95, exif=rotated)
Image.fromarray(large).convert('CMYK').save(out / 'near/cmyk.jpg', quality=95)
Image.fromarray(large).quantize(256).save(out / 'near/palette.png')

grey = numpy.full((40, 40), 128, numpy.uint8)
for name, array in {'grey.png': grey, 'deep_grey.png': grey.astype(numpy.uint16) * 257,
                    'colour.png': grey[..., None].repeat(3, 2),
                    'over_white.png': numpy.dstack([grey[..., None].repeat(3, 2), grey * 0 + 255])}.items():
    save(array, name)
save(numpy.dstack([grey, grey * 0, grey, grey * 0]), 'transparent.png')
save(grey * 0 + 255, 'white.png')

whole = (out / 'exact/0.png').read_bytes()
(out / 'broken/truncated.png').write_bytes(whole[:len(whole) // 2])
(out / 'broken/flipped_bit.png').write_bytes(whole[:60] + bytes([whole[60] ^ 1]) + whole[61:])
whole = (out / 'near/best.jpg').read_bytes()
(out / 'broken/truncated.jpg').write_bytes(whole[:len(whole) // 2])
(out / 'broken/bomb.png').write_bytes(png(100000, 100000, 1, 0, b'\0' * 100000))
(out / 'broken/text.png').write_bytes(b'not an image\n')
(out / 'broken/empty.jpg').write_bytes(b'')
