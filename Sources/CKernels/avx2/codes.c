#include "simd.h"

#if defined(__x86_64__)
CK_AVX2_BEGIN
#include "../vector/codes.h"
CK_AVX2_END

void ck_avx2_codes(ck_table *table) { fill_codes(table); }
#endif
