// From int32 sums in memory to outputs: the formulas of ck_gemm_u8s8, operation by operation.
#pragma clang fp contract(off)

/// The first n numbers at p, or zeros when there are none.
CK_INLINE vi load_int(const int32_t *p, size_t n) {
  return !p ? vi_set(0) : n >= V_WIDTH ? vi_load(p) : vi_load_n(p, n);
}
CK_INLINE vf load_float(const float *p, size_t n) {
  return !p ? v_set(0) : n >= V_WIDTH ? v_load(p) : v_load_n(p, n);
}

#define AT(p, offset) ((p) ? (p) + (offset) : NULL)

/// Rows row..<row+count, the first n of the columns j..<j+V_WIDTH; the sums of row r start at sums + r · step.
static void store_columns(const ck_epilogue *e, const int32_t *sums, size_t step, size_t row, size_t count, size_t j,
                          size_t n, const int32_t *row_sums) {
  vi b_zero = load_int(AT(e->b_zero, j), n), bias = load_int(AT(e->bias, j), n);
  vi column_sums = vi_sub(load_int(e->column_sums + j, n), vi_mul(b_zero, vi_set(e->depth)));
  vf multiplier = e->output == CK_OUT_S32 ? v_set(0) : load_float(e->multiplier + j, n);
  vf bias_f = e->output == CK_OUT_F32 ? load_float(AT(e->bias_f, j), n) : v_set(0);
  vf low = v_set((float)(e->lower - e->zero)), high = v_set((float)(e->upper - e->zero));

  for (size_t r = 0; r < count; r++) {
    size_t i = row + r;
    vi acc = vi_load(sums + r * step);
    acc = vi_sub(acc, vi_mul(vi_set(e->a_zeros ? e->a_zeros[i] : e->a_zero), column_sums));
    if (e->b_zero) acc = vi_sub(acc, vi_mul(b_zero, vi_set(row_sums[r])));
    if (e->output == CK_OUT_F32) {
      vf scale = v_set(e->a_scales ? e->a_scales[i] : e->a_scale) * multiplier;
      vf v = v_from_int(acc) * scale;
      if (e->bias_f) v = v + bias_f;
      if (e->residual_f) v = v + load_float(e->residual_f + i * e->residual_stride + j, n);
      v = v_min(v_set(e->upper_f), v_max(v_set(e->lower_f), v));
      float *c = (float *)e->c + i * e->c_stride + j;
      if (n >= V_WIDTH)
        v_store(c, v);
      else
        v_store_n(c, n, v);
      continue;
    }
    acc = vi_add(acc, bias);
    if (e->output == CK_OUT_S32) {
      int32_t *c = (int32_t *)e->c + i * e->c_stride + j;
      if (n >= V_WIDTH)
        vi_store(c, acc);
      else
        vi_store_n(c, n, acc);
      continue;
    }
    vi code = v_to_int(v_min(v_max(v_from_int(acc) * multiplier, low), high));
    if (!e->residual) {
      code = vi_add(code, vi_set(e->zero));
    } else {
      const uint8_t *from = e->residual + i * e->residual_stride + j;
      vi other = vi_sub(n >= V_WIDTH ? v_load_u8(from) : v_load_u8_n(from, n), vi_set(e->r_zero));
      vf branch = v_from_int(code) * v_set(e->branch_multiplier), side = v_from_int(other) * v_set(e->r_multiplier);
      vf v = branch + side;
      v = v_min(v_max(v, v_set((float)(e->sum_lower - e->sum_zero))), v_set((float)(e->sum_upper - e->sum_zero)));
      code = vi_add(v_to_int(v), vi_set(e->sum_zero));
    }
    uint8_t *c = (uint8_t *)e->c + i * e->c_stride + j;
    if (n >= V_WIDTH)
      v_store_u8(c, code);
    else
      v_store_u8_n(c, n, code);
  }
}

/// Rows row..<row+count, columns column..<column+columns; there are whole vectors of sums. row_sums (Σ a) are read only
/// with b_zero.
static void store_sums(const ck_epilogue *e, const int32_t *sums, size_t step, size_t row, size_t count, size_t column,
                       size_t columns, const int32_t *row_sums) {
  for (size_t j = 0; j < columns; j += V_WIDTH)
    store_columns(e, sums + j, step, row, count, column + j, columns - j, row_sums);
}
