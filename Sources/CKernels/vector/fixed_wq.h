// A few float rows times weights with group scales, at the speed of memory: after gemm_wq.h.
//
// The elements of a group become whole numbers of 24 bits, in units of the largest magnitude / 8355000, written as
// digits of a few bits. Then instructions that multiply small whole numbers multiply several codes at once, where floats
// would need each code converted. Rounding to the unit costs no more than the rounding of a float sum; sums of digits are
// exact.
//
// Before it a level says how:
//   DIGITS                       the most digits there are
//   fixed_digit(bits)            bytes of a digit
//   fixed_bytes(bits)            bytes of all digits of one element
//   fixed_longest(bits)          the longest group whose sums stay in int32
//   to_digits(bits, from, length, filled, span, to, group)
//                                one group as digits, digit after digit `span` elements apart; 0 when an element is not
//                                finite
//   multiply(bits, rows, panels, tile)

typedef void (*fixed_kernel)(const fixed_tile *);
#define FIXED(bits, rows, panels) \
  static void fixed_##bits##_##rows##x##panels(const fixed_tile *t) { multiply(bits, rows, panels, t); }
#define FIXED_KERNELS(bits) FIXED(bits, 1, 1) FIXED(bits, 1, 2) FIXED(bits, 1, 4) FIXED(bits, 2, 1) FIXED(bits, 2, 2)
FIXED_KERNELS(8)
FIXED_KERNELS(4)
FIXED_KERNELS(2)
#define FIXED_SET(bits) \
  {{fixed_##bits##_1x1, fixed_##bits##_1x2, fixed_##bits##_1x4}, {fixed_##bits##_2x1, fixed_##bits##_2x2}}
/// [bits][rows - 1][vectors 1, 2, 4]
static const fixed_kernel fixed_kernels[3][2][3] = {FIXED_SET(8), FIXED_SET(4), FIXED_SET(2)};

/// 0 where this is not the way: an element is not finite, or a group too long.
static int fixed(const ck_gemm_wq *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  const size_t taps = g->rows.taps, k = g->rows.k, room = scratch_bytes(taps, k);
  const wq_layout l = wq_open(g->packed, g->n, taps, k, g->bits, g->group);
  const size_t element = fixed_bytes((int)g->bits), all_groups = taps * l.groups;
  const size_t row_bytes = element * l.span + all_groups * sizeof(digit_group);
  if (ck_min(g->group, k) > fixed_longest((int)g->bits) || row_bytes > room) return 0;
  const size_t most = 2 * row_bytes <= room ? 2 : 1;
  const fixed_kernel(*set)[3] = fixed_kernels[g->bits == 8 ? 0 : g->bits == 4 ? 1 : 2];
  fixed_tile t = {.g = g, .l = &l, .row = m0, .end = n1};
  while (t.row < m1) {
    const size_t rows = ck_min(most, m1 - t.row);
    digit_group *groups = g->scratch;
    int8_t *digits = (int8_t *)(groups + rows * all_groups);
    t.groups = groups;
    t.digits = digits;
    for (size_t r = 0; r < rows; r++) {
      int8_t *to = digits + r * element * l.span;
      for (size_t tap = 0; tap < taps; tap++) {
        const float *from = ck_piece(&g->rows, t.row + r, tap, sizeof(float));
        for (size_t s = 0; s < l.groups; s++) {
          const size_t length = wq_length(&l, s), filled = ck_divide_up(length, l.per_unit) * l.per_unit;
          const int finite = g->bits == 8 ? to_digits(8, from, length, filled, l.span, to, groups++)
                                          : to_digits((int)g->bits, from, length, filled, l.span, to, groups++);
          if (!finite) return 0;
          from += length;
          to += filled * fixed_digit((int)g->bits);
        }
      }
    }
    for (t.column = n0; t.column < n1;) {
      const size_t vectors = wq_vectors(&l, t.column, n1);
      const int choice = vectors >= 4 && rows == 1 ? 2 : vectors >= 2;
      set[rows - 1][choice](&t);
      t.column += V_WIDTH << choice;
    }
    t.row += rows;
  }
  return 1;
}

static void gemm_wq_or_fixed(const ck_gemm_wq *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  if (g->m > FEW || !fixed(g, m0, m1, n0, n1)) gemm_wq(g, m0, m1, n0, n1);
}
