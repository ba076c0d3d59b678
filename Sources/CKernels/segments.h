// How a matrix product reads its left rows.
#ifndef CK_SEGMENTS_H
#define CK_SEGMENTS_H

#include "internal.h"

enum { CK_ROWS = 14, CK_TAPS = 16, CK_COPIED = 4096, CK_GATHERED = 1024, CK_BUFFER = CK_COPIED + 64 };

/// The rows of a tile, one segment of their depth at a time. A kernel finds `pieces` pieces of `length` elements,
/// piece p of row r at table[r · CK_TAPS + p]: an indirect address costs one cheap load beside each broadcast, whether
/// the rows are strided or scattered.
typedef struct ck_segments {
  const ck_rows *rows;
  int shift;  // log2 of the bytes of an element
  enum { CK_POINT, CK_GATHER, CK_COPY } kind;
  void (*advance)(struct ck_segments *);  // sets the next segment; to be called while next < total
  size_t next, total;                     // depth not yet in a segment: taps, or elements when copying
  size_t row, count;
  size_t pieces, length;
  int single;  // the first segment is the only one
  const void *table[CK_ROWS * CK_TAPS];
  _Alignas(64) unsigned char buffer[CK_ROWS * CK_BUFFER + 64];
} ck_segments;

/// Decides how rows are read: in place; with the taps gathered side by side, where they are short (the caller says);
/// or copied, where a stride of whole pages would put all rows of a tile in the same few places of the first cache.
void ck_segments_open(ck_segments *s, const ck_rows *rows, int shift, int gathered);
/// Sets the first segment of `count` rows from `row`.
void ck_segments_first(ck_segments *s, size_t row, size_t count);
/// The advance of every level that has no better one.
void ck_segments_advance(ck_segments *s);

#endif
