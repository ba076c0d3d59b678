extension EncodedTensor {
  /// Weights held in blocks, from the bytes as files hold them.
  ///
  /// - Parameters:
  ///   - blocks: uint8 `[rows, bytes of a row]`.
  ///   - shape: of the weights; the last axis is a whole number of blocks.
  package init(blocks: Tensor, shape: Shape, format: any BlockFormat, threads: Int) {
    let features = shape.last ?? 1
    let rows = features == 0 ? 0 : shape.elementCount / features
    precondition(features > 0 && features % format.elements == 0, "\(format.name) holds whole blocks")
    precondition(blocks.type == .uint8 && blocks.count == rows * features / format.elements * format.bytes)
    let scheme = Scheme(format)
    let group = Swift.max(format.uniform?.group ?? format.elements, 1)
    let (groups, rowBytes) = (features / group, features / format.elements * format.bytes)
    var scales = [Float](repeating: 0, count: rows * groups)
    var minimums = scales
    let codes = Tensor(shape: shape, type: format.hasMinimums ? .uint8 : .int8) { bytes in
      blocks.withBytes { source in
        scales.withUnsafeMutableBufferPointer { scales in
          minimums.withUnsafeMutableBufferPointer { minimums in
            guard let codes = bytes.baseAddress?.assumingMemoryBound(to: Int8.self),
              let source = source.baseAddress, let scales = scales.baseAddress,
              let minimums = minimums.baseAddress
            else { return }
            // Each row has codes, scales and minimums of its own.
            nonisolated(unsafe) let (codesOut, scalesOut, minimumsOut) = (codes, scales, minimums)
            nonisolated(unsafe) let from = source
            parallel(rows, grain: Self.rowGrain(features), threads: threads) { range in
              for row in range {
                let block = from + row * rowBytes
                let (scales, minimums) = (scalesOut + row * groups, minimumsOut + row * groups)
                if format.uniform != nil {
                  format.unpack(
                    block, count: features, codes: codesOut + row * features, scales: scales,
                    minimums: minimums)
                } else {
                  Self.largest(block, features, format, into: scales)
                }
              }
            }
          }
        }
      }
    }
    self.init(
      codes: codes,
      encoding: Encoding(
        scheme: scheme, channelAxis: 0, groupAxis: shape.count - 1, scales: scales,
        zeroPoints: [Int32](repeating: 0, count: scales.count), minimums: format.hasMinimums ? minimums : nil),
      blocks: blocks)
  }

  /// Float weights as blocks of a format, row by row.
  ///
  /// - Parameters:
  ///   - weights: row-major in `shape`, whose last axis is a whole number of blocks; finite.
  ///   - importance: what the squared error of a weight counts, for each index of the last axis.
  package init(
    _ weights: UnsafeBufferPointer<Float>, shape: Shape, format: any BlockFormat, importance: [Float]? = nil,
    threads: Int
  ) {
    let blocks = Self.blocks(weights, shape: shape, format: format, importance: importance, threads: threads)
    self.init(blocks: blocks, shape: shape, format: format, threads: threads)
  }

  /// The bytes of `init(_:shape:format:importance:threads:)` alone: uint8 `[rows, bytes of a row]`.
  package static func blocks(
    _ weights: UnsafeBufferPointer<Float>, shape: Shape, format: any BlockFormat, importance: [Float]? = nil,
    threads: Int
  ) -> Tensor {
    let features = shape.last ?? 1
    precondition(features > 0 && features % format.elements == 0, "\(format.name) holds whole blocks")
    precondition(weights.count == shape.elementCount && (importance.map { $0.count == features } ?? true))
    let rows = weights.count / features
    let rowBytes = features / format.elements * format.bytes
    return Tensor(shape: [rows, rowBytes], type: .uint8) { bytes in
      guard let to = bytes.baseAddress, let from = weights.baseAddress else { return }
      // Each row has bytes of its own.
      nonisolated(unsafe) let (target, source) = (to, from)
      parallel(rows, grain: rowGrain(features), threads: threads) { range in
        for row in range {
          let (values, block) = (source + row * features, target + row * rowBytes)
          if let importance {
            importance.withUnsafeBufferPointer {
              format.encode(values, count: features, importance: $0.baseAddress, into: block)
            }
          } else {
            format.encode(values, count: features, importance: nil, into: block)
          }
        }
      }
    }
  }

  /// Whether real = scale · code + minimum holds: of all but formats like NF4, whose reals are in `blocks` alone.
  ///
  /// Codes of such a format are all 0, and a scale is the largest magnitude of its block.
  package var hasEvenCodes: Bool { format.map { $0.uniform != nil } ?? true }

  /// The block format the weights are held in.
  package var format: (any BlockFormat)? { encoding.scheme.format.flatMap(BlockFormats.named) }

  /// Rows that one thread takes at a time.
  private static func rowGrain(_ features: Int) -> Int { Swift.max(1, (1 << 16) / Swift.max(features, 1)) }

  private static func largest(
    _ blocks: UnsafeRawPointer, _ count: Int, _ format: any BlockFormat,
    into scales: UnsafeMutablePointer<Float>
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: format.elements) { reals in
      guard let base = reals.baseAddress else { return }
      for block in 0..<count / format.elements {
        format.decode(blocks + block * format.bytes, count: format.elements, into: base)
        scales[block] = reals.reduce(0) { Swift.max($0, $1.magnitude) }
      }
    }
  }
}

extension Scheme {
  /// What a block format amounts to.
  ///
  /// Formats without even codes count as symmetric, with as many bits as a code takes, and a group for each block.
  package init(_ format: any BlockFormat) {
    self.init(
      bits: format.uniform?.bits ?? Int(format.bitsPerWeight),
      symmetry: format.hasMinimums ? .affine : .symmetric,
      granularity: .group(format.uniform?.group ?? format.elements), range: .full, format: format.name)
  }
}
