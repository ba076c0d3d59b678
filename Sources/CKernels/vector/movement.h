// Transposes block by block, each in registers by `kernel`; the edges element by element. `pixels` makes pixels of three
// planes and returns how many it made.

#define TRANSPOSE(name, type, block, kernel, pixels)                                                           \
  static void name(const void *from, size_t rows, size_t columns, size_t x_stride, void *to, size_t y_stride) { \
    const type *x = from;                                                                                      \
    type *y = to;                                                                                              \
    if (rows == 3 && y_stride == 3) {                                                                          \
      size_t done = pixels(x, x_stride, columns, y);                                                           \
      x += done, columns -= done, y += 3 * done;                                                               \
    }                                                                                                          \
    for (size_t r0 = 0; r0 < rows; r0 += block)                                                                \
      for (size_t c0 = 0; c0 < columns; c0 += block) {                                                         \
        if (rows - r0 >= block && columns - c0 >= block) {                                                     \
          kernel(x + r0 * x_stride + c0, x_stride, y + c0 * y_stride + r0, y_stride);                          \
          continue;                                                                                            \
        }                                                                                                      \
        for (size_t c = c0; c < ck_min(c0 + block, columns); c++)                                              \
          for (size_t r = r0; r < ck_min(r0 + block, rows); r++) y[c * y_stride + r] = x[r * x_stride + c];    \
      }                                                                                                        \
  }
