// Float depthwise convolution on NHWC: lanes are channels, four rows share each load of the weights.

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
      vf weight = masked ? v_load_n(w, left) : v_load(w + v * V_WIDTH);
      CK_UNROLL for (int r = 0; r < rows; r++) {
        const float *x = (taps ? taps[t][r] : v_tap(d, i + (size_t)r, t)) + ch;
        acc[r * vectors + v] = v_fma(masked ? v_load_n(x, left) : v_load(x + v * V_WIDTH), weight, acc[r * vectors + v]);
      }
    }
  }
  vf lower = v_set(d->lower), upper = v_set(d->upper);
  CK_UNROLL for (int v = 0; v < vectors; v++, ch += V_WIDTH) {
    vf bias = !d->bias ? v_set(0) : masked ? v_load_n(d->bias + ch, left) : v_load(d->bias + ch);
    CK_UNROLL for (int r = 0; r < rows; r++) {
      vf y = acc[r * vectors + v] + bias;
      if (d->residual) {
        const float *x = d->residual + (i + (size_t)r) * d->residual_stride + ch;
        y = y + (masked ? v_load_n(x, left) : v_load(x));
      }
      y = v_min(upper, v_max(lower, y));
      float *c = d->c + (i + (size_t)r) * d->c_stride + ch;
      if (masked)
        v_store_n(c, left, y);
      else
        v_store(c, y);
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

static void depthwise_f32(const ck_depthwise_f32 *d, size_t m0, size_t m1) {
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
