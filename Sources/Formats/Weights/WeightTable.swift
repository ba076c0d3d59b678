/// The tensors of a model's weight files, by name and in the files' order.
package struct WeightTable: Sendable {
  package let tensors: [StoredTensor]
  private let places: [String: Int]

  /// - Errors: `ImportError` where a name stands for two tensors.
  init(_ tensors: [StoredTensor]) throws(ImportError) {
    var places: [String: Int] = [:]
    places.reserveCapacity(tensors.count)
    for (place, tensor) in tensors.enumerated() {
      guard places.updateValue(place, forKey: tensor.name) == nil else {
        throw ImportError(file: tensor.file, place: .tensor(tensor.name), reason: .writtenTwice(tensor.name))
      }
    }
    self.tensors = tensors
    self.places = places
  }

  package subscript(name: String) -> StoredTensor? { places[name].map { tensors[$0] } }
}

extension WeightTable {
  /// Refuses tensors that share bytes: `ranges` are those of the tensors, in the same order, in one file.
  static func checkOverlaps(_ ranges: [Range<Int>], of tensors: [StoredTensor]) throws(ImportError) {
    let order = ranges.indices.filter { !ranges[$0].isEmpty }
      .sorted { ranges[$0].lowerBound < ranges[$1].lowerBound }
    for (before, after) in zip(order, order.dropFirst())
    where ranges[after].lowerBound < ranges[before].upperBound {
      throw ImportError(
        file: tensors[after].file, place: .tensor(tensors[after].name),
        reason: .malformed("its bytes are also those of tensor \"\(tensors[before].name)\""))
    }
  }
}
