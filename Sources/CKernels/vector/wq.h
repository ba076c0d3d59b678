// How weights with group scales are packed; included after a level's simd.h and wq.h, which says where codes sit in a
// lane.
//
// A header of 64 bytes; panels of V_WIDTH columns; then, for integer rows, [panel][taps · groups][V_WIDTH] of
// Σ code − length · zero. A panel holds for each tap and group: a vector of scales, one of zeros (if there are any), and
// units. A unit is one vector: 32 bits of codes along k for each column. The last unit of a group is filled up.
#include "../segments.h"

enum { UNIT = 4 * V_WIDTH };

typedef struct {
  size_t bits, k, group;
  size_t groups;      // of a tap
  size_t per_unit;    // elements along k in a unit
  int zeros;          // whether there are zero points
  size_t panel_bytes;
  size_t span;        // elements of a row when every group is filled up to whole units
} wq_layout;

CK_INLINE size_t wq_length(const wq_layout *l, size_t g) { return ck_min(l->group, l->k - g * l->group); }

CK_INLINE wq_layout wq_open(size_t taps, size_t k, size_t bits, size_t group, int zeros) {
  wq_layout l = {bits, k, group, ck_divide_up(k, group), 32 / bits, zeros, 0, 0};
  size_t units = 0;
  if (l.groups)
    units = (l.groups - 1) * ck_divide_up(group, l.per_unit) +
            ck_divide_up(wq_length(&l, l.groups - 1), l.per_unit);
  l.panel_bytes = taps * UNIT * (l.groups * (zeros ? 2 : 1) + units);
  l.span = taps * units * l.per_unit;
  return l;
}

CK_INLINE int wq_has_zeros(const void *packed) { return *(const unsigned char *)packed; }

CK_INLINE const char *wq_panel(const wq_layout *l, const void *packed, size_t column) {
  return (const char *)packed + 64 + column / V_WIDTH * l->panel_bytes;
}

/// Room for two panels of floats, or for some rows of codes with their groups filled up and the sums of these.
static inline size_t scratch_bytes(size_t taps, size_t k) { return taps * k * 2 * UNIT + 32 * UNIT; }
