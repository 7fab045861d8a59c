// Images divided into rectangular tiles, distributed evenly over the blocks of a grid.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cuda/launch.h"

namespace residual::kernels {

struct TileGrid {
    int height, width;  // of an image
    int rows, columns;  // of a tile; tiles at the lower and right edges may extend beyond the image
    int down, across;   // tiles per image
    int tiles;          // of all images
};

// The upper left pixel of a tile, always inside its image.
struct Tile {
    int64_t image;
    int row, column;
};

inline TileGrid tile_grid(int batch, int height, int width, int rows, int columns) {
    const int down = (height + rows - 1) / rows, across = (width + columns - 1) / columns;
    return {height, width, rows, columns, down, across, batch * down * across};
}

// At most `most` blocks, each with the same number of tiles or one less: block b takes tiles b, b + blocks, ...
inline int even_blocks(int tiles, int most) {
    const int share = (tiles + most - 1) / most;
    return share == 0 ? 0 : (tiles + share - 1) / share;
}

// Streaming multiprocessors of an H100 or H200. A constant instead of the device's count, so that the order of the sums
// over blocks, and with it the bits, are the same on every GPU.
inline constexpr int kSms = 132;

__device__ inline Tile tile_at(const TileGrid& grid, int index) {
    const int image = index / (grid.down * grid.across), rest = index % (grid.down * grid.across);
    return {image, rest / grid.across * grid.rows, rest % grid.across * grid.columns};
}

// Pixels of the tile inside the image.
__device__ inline int tile_pixels(const TileGrid& grid, const Tile& tile) {
    const int rows = grid.height - tile.row, columns = grid.width - tile.column;
    return (rows < grid.rows ? rows : grid.rows) * (columns < grid.columns ? columns : grid.columns);
}

}  // namespace residual::kernels
