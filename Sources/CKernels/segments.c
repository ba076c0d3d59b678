#include "segments.h"

void ck_segments_open(ck_segments *s, const ck_rows *rows, int shift, int gathered) {
  s->rows = rows;
  s->shift = shift;
  s->advance = ck_segments_advance;
  size_t stride = rows->stride << shift, bytes = rows->k << shift;
  if (gathered)
    s->kind = CK_GATHER;
  else if (!rows->offsets && stride % 4096 == 0 && bytes >= 4096 && rows->k % 4 == 0)
    s->kind = CK_COPY;
  else
    s->kind = CK_POINT;
  s->total = s->kind == CK_COPY ? rows->k : rows->k ? rows->taps : 0;
}

void ck_segments_first(ck_segments *s, size_t row, size_t count) {
  s->row = row;
  s->count = count;
  s->next = 0;
  s->pieces = 0;
  if (s->kind != CK_POINT)
    for (size_t r = 0; r < count; r++) s->table[r * CK_TAPS] = s->buffer + r * CK_BUFFER;
  if (s->total) s->advance(s);
  s->single = s->next >= s->total;
}

void ck_segments_advance(ck_segments *s) {
  const ck_rows *rows = s->rows;
  int shift = s->shift;
  size_t bytes = rows->k << shift;
  if (s->kind == CK_COPY) {
    size_t length = ck_min(rows->k - s->next, (size_t)CK_COPIED >> shift);
    for (size_t r = 0; r < s->count; r++)
      memcpy(s->buffer + r * CK_BUFFER, (const char *)rows->a + (((s->row + r) * rows->stride + s->next) << shift),
             length << shift);
    s->pieces = 1;
    s->length = length;
    s->next += length;
    return;
  }
  size_t most = s->kind == CK_GATHER ? (CK_GATHERED / bytes) & ~(size_t)3 : CK_TAPS;
  size_t taps = ck_min(rows->taps - s->next, most);
  for (size_t r = 0; r < s->count; r++)
    for (size_t t = 0; t < taps; t++) {
      const void *piece = ck_piece(rows, s->row + r, s->next + t, (size_t)1 << shift);
      if (s->kind == CK_GATHER)
        memcpy(s->buffer + r * CK_BUFFER + t * bytes, piece, bytes);
      else
        s->table[r * CK_TAPS + t] = piece;
    }
  s->pieces = s->kind == CK_GATHER ? 1 : taps;
  s->length = s->kind == CK_GATHER ? taps * rows->k : rows->k;
  s->next += taps;
}
