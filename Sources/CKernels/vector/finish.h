// How kernels with float outputs end.
#ifndef CK_VECTOR_FINISH_H
#define CK_VECTOR_FINISH_H

/// A vector, or the first n of its lanes where that is not `whole`.
CK_INLINE vf v_load_part(int whole, const float *p, size_t n) { return whole ? v_load(p) : v_load_n(p, n); }

/// c = clamp(y + residual[at…]), a vector or its first n lanes; residual may be NULL.
CK_INLINE void v_finish(vf y, const float *residual, size_t at, vf lower, vf upper, float *c, int whole, size_t n) {
  if (residual) y = y + v_load_part(whole, residual + at, n);
  y = v_min(upper, v_max(lower, y));
  if (whole)
    v_store(c, y);
  else
    v_store_n(c, n, y);
}

#endif
