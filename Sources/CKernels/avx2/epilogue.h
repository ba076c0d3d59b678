// From int32 sums in memory to outputs, eight columns at a time; the formulas of ck_gemm_u8s8.
#ifndef CK_AVX2_EPILOGUE_H
#define CK_AVX2_EPILOGUE_H

#include "simd.h"

#if defined(__x86_64__)

/// Rows row..<row+count, columns column..<column+columns; the sums of row r start at sums + r · step and there are whole
/// vectors of them. row_sums (Σ a) are read only with b_zero.
void ck_avx2_store(const ck_epilogue *e, const int32_t *sums, size_t step, size_t row, size_t count, size_t column,
                   size_t columns, const int32_t *row_sums);

#endif
#endif
