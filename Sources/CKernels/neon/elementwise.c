#include "simd.h"

#if defined(__aarch64__)
CK_NEON_BEGIN
#include "../vector/elementwise.h"
#include "../vector/normalize.h"
CK_NEON_END

void ck_neon_elementwise(ck_table *table) {
  fill_elementwise(table);
  fill_normalize(table);
}
#endif
