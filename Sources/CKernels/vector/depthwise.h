// Float depthwise convolution on NHWC: lanes are channels, some outputs share each load of the weights.
//
// Where the windows are known, outputs go row by row of the image and addresses are sums; channels that fill a part of
// a vector run on over the pixels of a row, from a copy of the rows a window sees with its padding. Else the offsets
// say where taps are.
#include "finish.h"

enum { V_MOST_TAPS = 64, V_ROWS = 4 };

CK_INLINE const float *v_tap(const ck_depthwise_f32 *d, size_t i, size_t t) {
  int32_t offset = d->offsets[i * d->taps + t];
  return offset < 0 ? d->padding : d->a + offset;
}

/// `rows` outputs at channels ch..<ch+vectors·V_WIDTH, the last vector masked to `left` when that is less. taps[t][r]
/// holds the pointers, or is NULL when there are too many to hold.
CK_INLINE void v_depthwise(const int rows, const int vectors, const int masked, const ck_depthwise_f32 *d, size_t i,
                           const float *const (*taps)[V_ROWS], size_t ch, size_t left) {
  vf acc[V_ROWS * 2];
  CK_UNROLL for (int o = 0; o < rows * vectors; o++) acc[o] = v_set(0);
  const float *w = d->weights + ch;
  for (size_t t = 0; t < d->taps; t++, w += d->channels) {
    CK_UNROLL for (int v = 0; v < vectors; v++) {
      vf weight = v_load_part(!masked, w + v * V_WIDTH, left);
      CK_UNROLL for (int r = 0; r < rows; r++) {
        const float *x = (taps ? taps[t][r] : v_tap(d, i + (size_t)r, t)) + ch;
        acc[r * vectors + v] = v_fma(v_load_part(!masked, x + v * V_WIDTH, left), weight, acc[r * vectors + v]);
      }
    }
  }
  vf lower = v_set(d->lower), upper = v_set(d->upper);
  CK_UNROLL for (int v = 0; v < vectors; v++, ch += V_WIDTH) {
    vf bias = d->bias ? v_load_part(!masked, d->bias + ch, left) : v_set(0);
    CK_UNROLL for (int r = 0; r < rows; r++) {
      size_t row = i + (size_t)r;
      v_finish(acc[r * vectors + v] + bias, d->residual, row * d->residual_stride + ch, lower, upper,
               d->c + row * d->c_stride + ch, !masked, left);
    }
  }
}

CK_INLINE void v_depthwise_rows(const int rows, const ck_depthwise_f32 *d, size_t i,
                                const float *const (*taps)[V_ROWS]) {
  size_t ch = 0;
  for (; ch + 2 * V_WIDTH <= d->channels; ch += 2 * V_WIDTH) v_depthwise(rows, 2, 0, d, i, taps, ch, 0);
  if (ch + V_WIDTH <= d->channels) {
    v_depthwise(rows, 1, 0, d, i, taps, ch, 0);
    ch += V_WIDTH;
  }
  if (ch < d->channels) v_depthwise(rows, 1, 1, d, i, taps, ch, d->channels - ch);
}

enum { V_PIXELS = 6, V_MOST_ROWS = 16, V_STRIP = 4096 };

/// Outputs of one row of windows at some channels; distances in elements.
typedef struct {
  const ck_depthwise_f32 *d;
  const float *rows[V_MOST_ROWS];  // column 0 of each of a window's rows, or NULL outside the image
  const float *weights, *bias;
  size_t weight_step;        // from one tap's weights to the next's
  size_t pixel, tap;         // between windows, and between taps in a row
  ptrdiff_t left, right;     // taps at columns left…right - 1 are inside, counted from the first window's first
  size_t height, width, step;
  float *c;
  const float *residual;
  size_t c_step, residual_step;  // from one output to the next
} v_row;

/// Outputs x..<x+pixels, the last vector masked to `left` where that is asked for; `checked` when a tap may lie outside.
CK_INLINE void v_pixels(const int pixels, const int masked, const int checked, const v_row *w, size_t x, size_t left) {
  const ck_depthwise_f32 *d = w->d;
  vf acc[V_PIXELS];
  CK_UNROLL for (int r = 0; r < pixels; r++) acc[r] = v_set(0);
  for (size_t y = 0; y < w->height; y++) {
    if (!w->rows[y]) continue;
    const float *weights = w->weights + y * w->width * w->weight_step;
    const float *at = w->rows[y] + x * w->pixel;
    for (size_t t = 0; t < w->width; t++, weights += w->weight_step, at += w->tap) {
      vf weight = v_load_part(!masked, weights, left);
      CK_UNROLL for (int r = 0; r < pixels; r++) {
        ptrdiff_t column = (ptrdiff_t)((x + (size_t)r) * w->step + t);
        if (checked && (column < w->left || column >= w->right)) continue;
        const float *from = at + (size_t)r * w->pixel;
        acc[r] = v_fma(v_load_part(!masked, from, left), weight, acc[r]);
      }
    }
  }
  vf lower = v_set(d->lower), upper = v_set(d->upper);
  vf bias = w->bias ? v_load_part(!masked, w->bias, left) : v_set(0);
  CK_UNROLL for (int r = 0; r < pixels; r++) {
    size_t at = x + (size_t)r;
    v_finish(acc[r] + bias, w->residual, at * w->residual_step, lower, upper, w->c + at * w->c_step, !masked, left);
  }
}

#define V_CASE(n) \
  case n: v_pixels(n, masked, checked, w, x, left); break;
CK_INLINE void v_tile(const int masked, const int checked, const v_row *w, size_t x, size_t n, size_t left) {
  switch (n) {
    V_CASE(1) V_CASE(2) V_CASE(3) V_CASE(4) V_CASE(5) default: v_pixels(V_PIXELS, masked, checked, w, x, left);
  }
}
#undef V_CASE

/// All of `count` outputs.
static void v_outputs(const v_row *w, size_t count, size_t left) {
  if (!count) return;
  const size_t each = ck_even_tile(count, V_PIXELS);
  for (size_t x = 0; x < count; x += each) {
    size_t n = ck_min(each, count - x);
    ptrdiff_t first = (ptrdiff_t)(x * w->step), last = (ptrdiff_t)((x + n - 1) * w->step + w->width - 1);
    int masked = left < V_WIDTH, checked = first < w->left || last >= w->right;
    if (masked && checked)
      v_tile(1, 1, w, x, n, left);
    else if (masked)
      v_tile(1, 0, w, x, n, left);
    else if (checked)
      v_tile(0, 1, w, x, n, left);
    else
      v_tile(0, 0, w, x, n, left);
  }
}

/// Whether channels run on over the pixels of a row.
static int v_runs_on(const ck_depthwise_f32 *d) {
  const ck_window *window = d->window;
  size_t columns = window->out_width - 1 + window->kernel_width;
  return d->channels < V_WIDTH && V_WIDTH % d->channels == 0 && window->step_x == 1 && d->c_stride == d->channels &&
         (!d->residual || d->residual_stride == d->channels) && d->taps <= V_MOST_TAPS &&
         window->kernel_height * (columns * d->channels + V_WIDTH) <= V_STRIP;
}

/// The windows from x on in one row, `count` of them, the first of which is output i.
static void v_window_row(const ck_depthwise_f32 *d, v_row *w, size_t i, size_t x, size_t count) {
  const size_t channels = d->channels;
  w->pixel = w->step * channels;
  w->tap = w->weight_step = channels;
  w->c_step = d->c_stride;
  w->residual_step = d->residual_stride;
  const ptrdiff_t origin = (ptrdiff_t)(x * w->step) - (ptrdiff_t)d->window->pad_left;
  w->left = -origin;
  w->right = (ptrdiff_t)d->window->width - origin;
  const float *rows[V_MOST_ROWS];
  for (size_t y = 0; y < w->height; y++) rows[y] = w->rows[y];
  for (size_t ch = 0; ch < channels; ch += V_WIDTH) {
    // Where the first column is outside, so is its address: only those inside are read.
    for (size_t y = 0; y < w->height; y++)
      w->rows[y] = rows[y] ? (const float *)((uintptr_t)rows[y] + (uintptr_t)(origin * (ptrdiff_t)channels + (ptrdiff_t)ch) * 4) : NULL;
    w->weights = d->weights + ch;
    w->bias = d->bias ? d->bias + ch : NULL;
    w->c = d->c + i * d->c_stride + ch;
    w->residual = d->residual ? d->residual + i * d->residual_stride + ch : NULL;
    v_outputs(w, count, ck_min(V_WIDTH, channels - ch));
  }
}

/// The same for channels that run on: a vector holds several pixels. `weights` and `bias` fill vectors.
static void v_run_on(const ck_depthwise_f32 *d, v_row *w, size_t i, size_t x, size_t count, const float *weights,
                     const float *bias) {
  const ck_window *window = d->window;
  const size_t channels = d->channels, columns = count - 1 + w->width, row_length = columns * channels + V_WIDTH;
  float strip[V_STRIP];
  size_t before = window->pad_left > x ? window->pad_left - x : 0, first = x + before - window->pad_left;
  size_t inside = first < window->width && before < columns ? ck_min(window->width - first, columns - before) : 0;
  for (size_t y = 0; y < w->height; y++) {
    if (!w->rows[y]) continue;
    float *to = strip + y * row_length;
    memset(to, 0, row_length * sizeof(float));
    memcpy(to + before * channels, w->rows[y] + first * channels, inside * channels * sizeof(float));
    w->rows[y] = to;
  }
  w->weights = weights;
  w->bias = bias;
  w->weight_step = w->pixel = w->c_step = w->residual_step = V_WIDTH;
  w->tap = channels;
  w->step = 1;
  w->left = PTRDIFF_MIN;
  w->right = PTRDIFF_MAX;
  w->c = d->c + i * channels;
  w->residual = d->residual ? d->residual + i * channels : NULL;
  const size_t whole = count * channels / V_WIDTH, rest = count * channels % V_WIDTH;
  v_outputs(w, whole, V_WIDTH);
  if (!rest) return;
  for (size_t y = 0; y < w->height; y++) w->rows[y] = w->rows[y] ? w->rows[y] + whole * V_WIDTH : NULL;
  w->c += whole * V_WIDTH;
  if (w->residual) w->residual += whole * V_WIDTH;
  v_outputs(w, 1, rest);
}

static void v_windows(const ck_depthwise_f32 *d, size_t m0, size_t m1) {
  const ck_window *window = d->window;
  const size_t channels = d->channels;
  const int runs_on = v_runs_on(d);
  float weights[V_MOST_TAPS * V_WIDTH], bias[V_WIDTH];
  for (size_t j = 0; runs_on && j < V_WIDTH; j += channels) {
    for (size_t t = 0; t < d->taps; t++) memcpy(weights + t * V_WIDTH + j, d->weights + t * channels, channels * 4);
    if (d->bias) memcpy(bias + j, d->bias, channels * 4);
  }
  for (size_t i = m0; i < m1;) {
    size_t y = i / window->out_width, x = i % window->out_width, count = ck_min(window->out_width - x, m1 - i);
    v_row w;
    w.d = d;
    w.height = window->kernel_height;
    w.width = window->kernel_width;
    w.step = window->step_x;
    for (size_t r = 0; r < w.height; r++) {
      ptrdiff_t row = (ptrdiff_t)(y * window->step_y + r) - (ptrdiff_t)window->pad_top;
      int inside = row >= 0 && row < (ptrdiff_t)window->height;
      w.rows[r] = inside ? d->a + (size_t)row * window->width * channels : NULL;
    }
    if (runs_on)
      v_run_on(d, &w, i, x, count, weights, d->bias ? bias : NULL);
    else
      v_window_row(d, &w, i, x, count);
    i += count;
  }
}

static void depthwise_f32(const ck_depthwise_f32 *d, size_t m0, size_t m1) {
  // With more channels the offsets are looked up so rarely that four rows at a time win.
  if (d->window && d->window->kernel_height <= V_MOST_ROWS && d->channels <= 64) {
    v_windows(d, m0, m1);
    return;
  }
  if (d->taps > V_MOST_TAPS) {
    for (size_t i = m0; i < m1; i++) v_depthwise_rows(1, d, i, NULL);
    return;
  }
  const float *taps[V_MOST_TAPS][V_ROWS];
  for (size_t i = m0; i < m1;) {
    size_t rows = m1 - i >= V_ROWS ? V_ROWS : 1;
    for (size_t r = 0; r < rows; r++)
      for (size_t t = 0; t < d->taps; t++) taps[t][r] = v_tap(d, i + r, t);
    if (rows == V_ROWS)
      v_depthwise_rows(V_ROWS, d, i, (const float *const(*)[V_ROWS])taps);
    else
      v_depthwise_rows(1, d, i, (const float *const(*)[V_ROWS])taps);
    i += rows;
  }
}
