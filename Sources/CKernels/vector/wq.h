// How weights with group scales are packed; included after a level's simd.h and wq.h, which says where codes sit in a
// lane.
//
// A header of 64 bytes; panels of up to four vectors of columns, read from front to back by one stream; then, for integer
// rows, [vector][taps · groups][V_WIDTH] of Σ code − length · zero. A panel holds for each tap and group: the scales of
// its vectors, as float16 where these are exact; their zeros (if there are any); and units, vector after vector. A unit
// is one vector: 32 bits of codes along k for each column. The last unit of a group is filled up.
#include "../segments.h"

enum { UNIT = 4 * V_WIDTH, WIDE = 4 };

typedef struct {
  size_t bits, k, group;
  size_t groups;        // of a tap
  size_t per_unit;      // elements along k in a unit
  size_t vectors;       // of columns
  int zeros, halves;    // whether there are zero points, and scales in float16
  size_t scale;         // bytes of a vector of scales
  size_t vector_bytes;  // of one vector of columns
  size_t span;          // elements of a row when every group is filled up to whole units
} wq_layout;

CK_INLINE size_t wq_length(const wq_layout *l, size_t g) { return ck_min(l->group, l->k - g * l->group); }

static inline wq_layout wq_layout_of(size_t n, size_t taps, size_t k, size_t bits, size_t group, int zeros, int halves) {
  wq_layout l = {.bits = bits, .k = k, .group = group, .groups = ck_divide_up(k, group), .per_unit = 32 / bits,
                 .vectors = ck_divide_up(n, V_WIDTH), .zeros = zeros, .halves = halves,
                 .scale = halves ? UNIT / 2 : UNIT};
  size_t units = 0;
  if (l.groups)
    units = (l.groups - 1) * ck_divide_up(group, l.per_unit) +
            ck_divide_up(wq_length(&l, l.groups - 1), l.per_unit);
  l.vector_bytes = taps * (l.groups * (l.scale + (zeros ? UNIT : 0)) + units * UNIT);
  l.span = taps * units * l.per_unit;
  return l;
}

/// The layout of weights that are packed.
CK_INLINE wq_layout wq_open(const void *packed, size_t n, size_t taps, size_t k, size_t bits, size_t group) {
  const unsigned char *header = packed;
  return wq_layout_of(n, taps, k, bits, group, header[0], header[1]);
}

/// A place in a panel, for some vectors of columns of it that lie side by side.
typedef struct {
  const char *at;
  size_t first, wide;  // the first vector, and how many the panel has
} wq_cursor;

CK_INLINE wq_cursor wq_panel(const wq_layout *l, const void *packed, size_t column) {
  size_t vector = column / V_WIDTH, first = vector % WIDE;
  wq_cursor c = {(const char *)packed + 64 + (vector - first) * l->vector_bytes, first,
                 ck_min(WIDE, l->vectors - (vector - first))};
  return c;
}

/// Vectors from a column on that lie in one panel and begin before column `end`.
CK_INLINE size_t wq_vectors(const wq_layout *l, size_t column, size_t end) {
  size_t vector = column / V_WIDTH;
  return ck_min(ck_min(WIDE - vector % WIDE, l->vectors - vector), ck_divide_up(end - column, V_WIDTH));
}

/// The scales and zeros of a group for `count` vectors; the cursor moves on to the units.
CK_INLINE void wq_numbers(const wq_layout *l, wq_cursor *c, int count, vf *scale, vf *zero) {
  const char *at = c->at + c->first * l->scale;
  if (l->halves) {
    CK_UNROLL for (int p = 0; p < count; p++) scale[p] = v_load_half((const uint16_t *)(at + UNIT / 2 * p));
  } else {
    CK_UNROLL for (int p = 0; p < count; p++) scale[p] = v_load((const float *)(at + UNIT * p));
  }
  c->at += c->wide * l->scale;
  if (!l->zeros) {
    CK_UNROLL for (int p = 0; p < count; p++) zero[p] = v_set(0);
    return;
  }
  CK_UNROLL for (int p = 0; p < count; p++) zero[p] = v_load((const float *)(c->at + (c->first + (size_t)p) * UNIT));
  c->at += c->wide * UNIT;
}

/// The next unit of `count` vectors.
CK_INLINE void wq_units(wq_cursor *c, int count, vi *unit) {
  const char *at = c->at + c->first * UNIT;
  CK_UNROLL for (int p = 0; p < count; p++) unit[p] = vi_load(at + UNIT * p);
  c->at += c->wide * UNIT;
}

/// Room for two vectors of columns as floats, or for some rows of codes with their groups filled up and the sums of these.
static inline size_t scratch_bytes(size_t taps, size_t k) { return taps * k * 2 * UNIT + 32 * UNIT; }
