#include <math.h>
#include <string.h>

#include "support.h"

static void clamp(const ck_table *t, const float *x, size_t n, float *y) { t->clamp_f32(x, n, -1.5f, 2, y); }
static void add_scalar(const ck_table *t, const float *x, size_t n, float *y) { t->add_scalar_f32(x, 0.37f, n, y); }
static void mul_scalar(const ck_table *t, const float *x, size_t n, float *y) { t->mul_scalar_f32(x, 0.37f, n, y); }
static void gelu(const ck_table *t, const float *x, size_t n, float *y) { t->gelu_f32(x, n, 0, y); }
static void gelu_tanh(const ck_table *t, const float *x, size_t n, float *y) { t->gelu_f32(x, n, 1, y); }
#define ENTRY(name) \
  static void apply_##name(const ck_table *t, const float *x, size_t n, float *y) { t->name##_f32(x, n, y); }
ENTRY(exp) ENTRY(tanh) ENTRY(sigmoid) ENTRY(erf) ENTRY(silu) ENTRY(hardswish) ENTRY(sqrt)

/// Functions of one argument: those with `relative` 0 must be exact.
static const struct {
  const char *name;
  void (*apply)(const ck_table *, const float *, size_t, float *);
  float low, high, relative, absolute;
} unary[] = {
  {"clamp_f32", clamp, -9, 9, 0, 0},
  {"add_scalar_f32", add_scalar, -9, 9, 0, 0},
  {"mul_scalar_f32", mul_scalar, -9, 9, 0, 0},
  {"sqrt_f32", apply_sqrt, 0, 9, 0, 0},
  {"exp_f32", apply_exp, -87, 88.7f, 2e-6f, 1e-38f},
  {"tanh_f32", apply_tanh, -12, 12, 2e-6f, 1e-38f},
  {"sigmoid_f32", apply_sigmoid, -85, 30, 2e-6f, 1e-38f},
  {"erf_f32", apply_erf, -6, 6, 2e-6f, 1e-38f},
  {"gelu_f32", gelu, -9, 9, 2e-6f, 1},
  {"gelu_f32 tanh", gelu_tanh, -9, 9, 2e-6f, 1},
  {"silu_f32", apply_silu, -85, 30, 2e-6f, 1e-37f},
  {"hardswish_f32", apply_hardswish, -9, 9, 2e-6f, 1},
};

static void add(const ck_table *t, const float *a, const float *b, size_t n, float *y) { t->add_f32(a, b, n, y); }
static void sub(const ck_table *t, const float *a, const float *b, size_t n, float *y) { t->sub_f32(a, b, n, y); }
static void mul(const ck_table *t, const float *a, const float *b, size_t n, float *y) { t->mul_f32(a, b, n, y); }
static void divide(const ck_table *t, const float *a, const float *b, size_t n, float *y) { t->div_f32(a, b, n, y); }
static const struct {
  const char *name;
  void (*apply)(const ck_table *, const float *, const float *, size_t, float *);
} binary[] = {{"add_f32", add}, {"sub_f32", sub}, {"mul_f32", mul}, {"div_f32", divide}};

static void check(size_t n) {
  for (size_t f = 0; f < COUNT(unary); f++) {
    begin(unary[f].name, "n %zu", n);
    float *x = floats(n, unary[f].low, unary[f].high), *found = take(n * 4, 0x41), *expected = take(n * 4, 0x41);
    unary[f].apply(&ours, x, n, found);
    unary[f].apply(&scalar, x, n, expected);
    if (unary[f].relative > 0)
      close_floats("", found, expected, n, NULL, unary[f].relative, unary[f].absolute);
    else
      same_floats("", found, expected, n);
    unary[f].apply(&ours, x, n, x);
    same_floats("in place", x, found, n);
  }
  for (size_t f = 0; f < COUNT(binary); f++) {
    begin(binary[f].name, "n %zu", n);
    float *a = floats(n, -9, 9), *b = floats(n, 0.5f, 9), *found = take(n * 4, 0x41), *expected = take(n * 4, 0x41);
    binary[f].apply(&ours, a, b, n, found);
    binary[f].apply(&scalar, a, b, n, expected);
    same_floats("", found, expected, n);
    binary[f].apply(&ours, a, b, n, a);
    same_floats("in place", a, found, n);
  }
}

/// NaN, infinities, zeros of both signs, and what is too small or too large for a function.
static void check_ends(void) {
  static const float ends[] = {0, -0.0f, INFINITY, -INFINITY, NAN, 1e-45f, -1e-45f, 1e-30f, 200, -200, 3e38f, -3e38f};
  size_t n = COUNT(ends);
  for (size_t f = 0; f < COUNT(unary); f++) {
    begin(unary[f].name, "the ends of the line");
    float *x = take(n * 4, 0), *found = take(n * 4, 0), *expected = take(n * 4, 0);
    memcpy(x, ends, n * 4);
    unary[f].apply(&ours, x, n, found);
    unary[f].apply(&scalar, x, n, expected);
    for (size_t i = 0; i < n; i++)
      if (isnan(x[i])) expect("passes NaN", isnan(found[i]) && isnan(expected[i]));
    // -inf · 0 is NaN or 0 by the formula taken: both levels may differ where they multiply x by something at infinity.
    for (size_t i = 0; i < n; i++)
      if (isinf(x[i]) && (isnan(found[i]) || isnan(expected[i]))) found[i] = expected[i];
    close_floats("", found, expected, n, NULL, 2e-6f, unary[f].absolute + 1e-37f);
  }
}

void test_elementwise(void) {
  for (size_t n = 0; n <= 70; n++) check(n);
  check(1000);
  check_ends();
}
