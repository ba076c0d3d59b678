#include "simd.h"

#if defined(__aarch64__)
CK_NEON_BEGIN
#define PEAK_DOT(sum, a, b) vdotq_s32(sum, vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b))
#define PEAK_DOT_MACS 16
#define PEAK_SUMS 24  // the largest cores have four pipes of four cycles
#define PEAK_REGISTER "w"
#include "../vector/peak.h"
CK_NEON_END

void ck_neon_peak(ck_table *table) { fill_peak(table); }
#endif
