// Transcendental functions on vectors: relative error below 1e-6 (tanh, sigmoid, erf: of their own value). The
// coefficients are minimax fits made for these intervals.
#ifndef CK_VECTOR_MATH_H
#define CK_VECTOR_MATH_H

#ifndef V_TIMES_POWER
/// p · 2^n for a whole n, in two factors, so that neither leaves the exponents there are.
CK_INLINE vf v_times_power(vf p, vf n) {
  vi whole = v_to_int(n), half = vi_right(whole, 1);
  vf first = v_float(vi_left(vi_add(half, vi_set(127)), 23));
  vf second = v_float(vi_left(vi_add(vi_sub(whole, half), vi_set(127)), 23));
  return p * first * second;
}
#endif

/// e^x; NaN passes, overflow gives infinity, small results go through the subnormals to 0.
CK_INLINE vf v_exp(vf x) {
  x = v_min(v_set(89), v_max(v_set(-105), x));
  // n = rne(x / ln 2), by the sum that leaves no bits below the unit.
  const vf shift = v_set(12582912.0f);
  vf shifted = v_fma(x, v_set(1.44269504f), shift);
  vf whole = shifted - shift;
  vf r = v_fma(whole, v_set(-0.693359375f), x);
  r = v_fma(whole, v_set(2.12194440e-4f), r);
  vf p = v_set(1.38368423e-3f);
  p = v_fma(p, r, v_set(8.37481581e-3f));
  p = v_fma(p, r, v_set(4.16682251e-2f));
  p = v_fma(p, r, v_set(1.66664198e-1f));
  p = v_fma(p, r, v_set(4.99999911e-1f));
  p = v_fma(p, r, v_set(1));
  p = v_fma(p, r, v_set(1));
  return v_times_power(p, whole);
}

CK_INLINE vf v_tanh(vf x) {
  vf a = v_abs(x), z = x * x;
  vf p = v_set(-6.06223103e-3f);
  p = v_fma(p, z, v_set(2.09750142e-2f));
  p = v_fma(p, z, v_set(-5.38466945e-2f));
  p = v_fma(p, z, v_set(1.33327469e-1f));
  p = v_fma(p, z, v_set(-3.33333284e-1f));
  vf small = v_fma(p * z, x, x);
  // The least of NaN and 10 is NaN; tanh 10 is 1 already.
  vf e = v_exp(v_min(v_set(10), a) * v_set(2));
  vf large = v_set(1) - v_set(2) / (e + v_set(1));
  return v_less(a, v_set(0.625f), small, v_signed(large, x));
}

/// 1 / (1 + e^-x) from e^-|x|, which cannot overflow.
CK_INLINE vf v_sigmoid(vf x) {
  vf e = v_exp(v_set(0) - v_abs(x));
  vf y = v_set(1) / (v_set(1) + e);
  return v_less(x, v_set(0), e * y, y);
}

CK_INLINE vf v_erf(vf x) {
  vf a = v_abs(x), z = x * x;
  vf p = v_set(7.88911930e-5f);
  p = v_fma(p, z, v_set(-8.02084105e-4f));
  p = v_fma(p, z, v_set(5.18953521e-3f));
  p = v_fma(p, z, v_set(-2.68544443e-2f));
  p = v_fma(p, z, v_set(1.12836003e-1f));
  p = v_fma(p, z, v_set(-3.76126260e-1f));
  p = v_fma(p, z, v_set(1.12837911f));
  // From 1 on: 1 - e^-q(|x|); at 4 it is 1.
  vf t = v_min(v_set(4), a);
  vf q = v_set(-1.85574900e-4f);
  q = v_fma(q, t, v_set(2.93961563e-3f));
  q = v_fma(q, t, v_set(-2.18053516e-2f));
  q = v_fma(q, t, v_set(1.03037432e-1f));
  q = v_fma(q, t, v_set(6.38225615e-1f));
  q = v_fma(q, t, v_set(1.12704003f));
  q = v_fma(q, t, v_set(3.53708921e-4f));
  vf large = v_set(1) - v_exp(v_set(0) - q);
  return v_less(a, v_set(1), p * x, v_signed(large, x));
}

#endif
