import Formats
import Graph
import Tensors

extension LanguageModel {
  /// The tensors of a GGUF file of this model, whose rows are read when they are encoded: for `FileQuantization`.
  package func ggufRows() -> [WeightRows] {
    var result = ggufPieces.compactMap { rows($0) }
    // Factors follow from the configuration; of the tensor they stand beside only the type is taken.
    if let beside = origins["norm.weight"] {
      for (name, factors) in ggufRopeFactors {
        result.append(
          WeightRows(name, shape: [factors.count], source: beside) { _, out in
            out.update(from: factors, count: factors.count)
          })
      }
    }
    return result
  }

  private func rows(_ piece: GGUFPiece) -> WeightRows? {
    let parts = piece.parts.compactMap { part in
      graph.constants[part.constant].map { StackedPart(tensor: $0, order: ggufOrder(part.row)) }
    }
    guard parts.count == piece.parts.count, let first = parts.first,
      let source = origins[piece.parts[0].constant]
    else { return nil }
    if let whole = wholeTensor(piece) { return WeightRows(whole, name: piece.name) }
    let shape = [parts.reduce(0) { $0 + $1.tensor.shape[0] }] + first.tensor.shape.dropFirst()
    let isVector = shape.count == 1
    return WeightRows(piece.name, shape: shape, source: source) { range, out in
      // A vector is one row to the reader, and one number a row to its parts.
      var rows = isVector ? 0..<shape[0] : range
      var place = out
      var start = 0
      for part in parts {
        let end = start + part.tensor.shape[0]
        let own = rows.clamped(to: start..<end)
        part.copy(own.lowerBound - start..<own.upperBound - start, to: place)
        place += own.count * part.width
        rows = max(rows.lowerBound, own.upperBound)..<rows.upperBound
        start = end
        if rows.isEmpty { break }
      }
    }
  }

  /// The tensor of the model's own file that is this one as it is.
  private func wholeTensor(_ piece: GGUFPiece) -> StoredTensor? {
    guard let first = stored[piece.parts[0].constant] else { return nil }
    var next = 0
    for part in piece.parts {
      guard let rows = stored[part.constant], rows.tensor.name == first.tensor.name,
        rows.rows.lowerBound == next,
        ggufOrder(part.row) == nil
      else { return nil }
      next = rows.rows.upperBound
    }
    return next == first.tensor.rowCount ? first.tensor : nil
  }
}

/// A float32 constant on its way into a stack.
private struct StackedPart {
  let tensor: Tensor
  let order: [Int]?

  /// Numbers of a row.
  var width: Int { tensor.shape.dropFirst().reduce(1, *) }

  func copy(_ rows: Range<Int>, to out: UnsafeMutablePointer<Float>) {
    guard !rows.isEmpty else { return }
    let bytes = 4 * width
    let room = UnsafeMutableRawBufferPointer(start: out, count: rows.count * bytes)
    tensor.withBytes { source in
      guard let order else {
        room.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: source[rows.lowerBound * bytes..<rows.upperBound * bytes]))
        return
      }
      for (place, row) in rows.enumerated() {
        UnsafeMutableRawBufferPointer(rebasing: room[place * bytes..<(place + 1) * bytes])
          .copyMemory(
            from: UnsafeRawBufferPointer(rebasing: source[order[row] * bytes..<(order[row] + 1) * bytes]))
      }
    }
  }
}

extension FileQuantization {
  /// A GGUF file of a model with the types of a mixture.
  ///
  /// - Parameters: as for a GGUF file.
  /// - Returns: also what the file cannot say, one sentence each.
  /// - Errors: `Failure`, `ImportError`.
  package static func of(
    _ model: LanguageModel, _ mixture: Mixture, named: [String: GGMLType] = [:],
    importance: (matrix: ImportanceMatrix, file: String)? = nil, threads: Int,
    allowsRequantizing: Bool = false
  ) throws -> (work: FileQuantization, notes: [String]) {
    if case .gguf(let file) = model.container {
      let work = try FileQuantization(
        file, mixture, named: named, importance: importance, threads: threads,
        allowsRequantizing: allowsRequantizing)
      return (work, [])
    }
    let rows = model.ggufRows()
    let (original, notes) = model.ggufMetadata(file: model.path)
    let context = try TypePlan.Context(original, hasImportance: importance != nil)
    let work = try FileQuantization(
      rows, plan: TypePlan(mixture, tensors: rows, context: context, named: named),
      metadata: Self.metadata(original, mixture, importance), importance: importance?.matrix,
      threads: threads,
      allowsRequantizing: allowsRequantizing)
    return (work, notes)
  }
}
