// Compares every entry of a level's table with the scalar level, in plain C so that it can be compiled for another
// architecture and run in an emulator. Built and run by .ci/levels.
#ifndef LEVELS_SUPPORT_H
#define LEVELS_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

#include "ckernels.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/// The level under test and the specification.
extern ck_table ours, scalar;

/// Starts a case: what a failure is called. Frees what the case before took and seeds the random numbers by the text.
void begin(const char *function, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// Memory of this case whose last byte ends at a page that may not be touched; every byte is `fill`.
void *take(size_t bytes, int fill);
/// …filled with random numbers in low…high.
float *floats(size_t n, float low, float high);
uint8_t *bytes(size_t n, int low, int high);
int8_t *signed_bytes(size_t n, int low, int high);
int32_t *integers(size_t n, int32_t low, int32_t high);

uint64_t random_bits(void);
size_t below(size_t n);
float between(float low, float high);

/// Arrays of n elements of `size` bytes that must be equal.
void same(const char *what, const void *found, const void *expected, size_t n, size_t size);
/// …that must have the same bits, or both be NaN.
void same_floats(const char *what, const float *found, const float *expected, size_t n);
/// …that may differ by relative · magnitude[i], or by relative · (|expected| + absolute) where magnitude is NULL.
void close_floats(const char *what, const float *found, const float *expected, size_t n, const float *magnitude,
                  float relative, float absolute);
/// Anything else.
void expect(const char *what, int holds);

/// From now on a read or write outside the memory of a case is reported with its name.
void catch_faults(void);

/// How many comparisons were made, of how many values, and how many failed.
extern size_t comparisons, values, failures;

/// Ranges of rows and columns that a caller could split a product into: part 0…3. Columns are split at a multiple of
/// the level's column block.
typedef struct {
  size_t m0, m1, n0, n1;
} part;
part part_of(size_t index, size_t m, size_t n);

/// The sizes of a product, and its rows: strided, or taps anywhere in a buffer, some of them padding and some
/// neighbours in memory.
typedef struct {
  size_t m, n, taps, k;
  int indirect;
} product_size;
ck_rows rows_of_floats(product_size s);
ck_rows rows_of_bytes(product_size s, uint8_t padding);

/// Calls `body` with sizes that reach every tail: rows, columns, taps and depth around the tiles of all levels.
void each_size(void (*body)(product_size));

/// What a convolution or a pool reads: an image of height × width pixels of `channels`.
typedef struct {
  size_t kernel, stride, channels;  // the kernel is square
} window;
enum { HEIGHT = 5, WIDTH = 6 };
size_t window_rows(window w);
ck_window window_geometry(window w);
/// Offsets [rows, kernel²], negative outside the image.
int32_t *window_offsets(window w);
/// Calls `body` with kernels of 1, 9, 25 and 81 taps, strides and channels around the vectors of all levels.
void each_window(void (*body)(window));

void test_gemm_f32(void);
void test_conv3x3(void);
void test_gemm_u8s8(void);
void test_conv3x3_u8s8(void);
void test_gemm_wq(void);
void test_depthwise(void);
void test_codes(void);
void test_pooling(void);
void test_elementwise(void);
void test_normalize(void);
void test_attention(void);
void test_movement(void);
void test_training(void);
void test_peak(void);

#endif
