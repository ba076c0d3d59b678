#include "simd.h"

#if defined(__aarch64__)
CK_NEON_BEGIN
#include "../vector/attention.h"
#include "../vector/rows_f32.h"
CK_NEON_END

void ck_neon_attention(ck_table *table) {
  fill_attention(table);
  fill_rows(table);
}
#endif
