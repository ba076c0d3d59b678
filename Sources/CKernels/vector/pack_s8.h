// Weights as instructions want them that multiply four bytes along k.
//
// Packed: panels of two vectors of columns, PANEL in all (the last one of one vector when that is enough), [groups]
// [PANEL][4]: groups of four along k. A tap whose length is not a multiple of four ends with the group of its last four
// elements, in which those that an earlier group holds are zero, so that no read goes beyond the tap. Taps shorter than
// that are gathered: there the groups run over taps · k.

/// Whether taps are gathered.
static int is_short(size_t k) { return k < 4; }

static size_t group_count(size_t taps, size_t k) {
  return is_short(k) ? ck_divide_up(taps * k, 4) : taps * ck_divide_up(k, 4);
}

static size_t packed_bytes(size_t n, size_t taps, size_t k) {
  return ck_divide_up(n, PANEL / 2) * (PANEL / 2) * group_count(taps, k) * 4;
}

static void pack(size_t n, size_t taps, size_t k, const int8_t *b, void *packed) {
  size_t depth = taps * k, groups = group_count(taps, k);
  memset(packed, 0, packed_bytes(n, taps, k));
  size_t shift = k % 4 ? 4 - k % 4 : 0;  // of a last group that starts at k - 4
  if (is_short(k)) k = depth, taps = 1, shift = 0;
  int8_t *panel = packed;
  for (size_t n0 = 0; n0 < n; n0 += PANEL) {
    size_t width = n - n0 > PANEL / 2 ? PANEL : PANEL / 2;
    for (size_t j = 0; j < ck_min(width, n - n0); j++) {
      const int8_t *from = b + (n0 + j) * depth;
      for (size_t t = 0; t < taps; t++) {
        int8_t *to = panel + (t * ck_divide_up(k, 4) * width + j) * 4;
        for (size_t x = 0; x < k; x++) {
          size_t place = x % 4 + (x >= k / 4 * 4 ? shift : 0);
          to[x / 4 * width * 4 + place] = *from++;
        }
      }
    }
    panel += width * groups * 4;
  }
}
