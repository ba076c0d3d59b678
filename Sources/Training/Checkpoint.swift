import Foundation
import Tensors

/// A training stopped between two epochs, as a file.
///
/// `LATHE-QAT-1\n`, the length of the header as 8 little-endian bytes, the header as JSON, then the float32 numbers of
/// every tensor the header names, in its order.
package struct Checkpoint: Sendable {
  /// What the training depends on, in words: a checkpoint of anything else is not taken up.
  package var subject: String
  /// Epochs of the whole training, and done.
  package var epochs: Int
  package var done: Int
  package var history: [TrainingPoint]
  package var state: Trainer.State
  /// The state after the best epoch, numbers only.
  package var best: [String: Tensor]
  package var bestEpoch: Int

  package init(
    subject: String, epochs: Int, done: Int, history: [TrainingPoint], state: Trainer.State,
    best: [String: Tensor], bestEpoch: Int
  ) {
    self.subject = subject
    self.epochs = epochs
    self.done = done
    self.history = history
    self.state = state
    self.best = best
    self.bestEpoch = bestEpoch
  }

  private static let magic = Data("LATHE-QAT-1\n".utf8)

  private struct Header: Codable {
    struct Entry: Codable {
      var name: String
      var shape: [Int]
    }
    var subject: String
    var epochs: Int
    var done: Int
    var steps: Int
    var bestEpoch: Int
    var history: [TrainingPoint]
    var tensors: [Entry]
  }

  /// Name of a tensor in the file, and the tensor, in order.
  private var tensors: [(name: String, tensor: Tensor)] {
    state.numbers.keys.sorted().flatMap { key in
      zip(["numbers", "first", "second"], state.numbers[key] ?? []).map { ("\($0) \(key)", $1) }
    } + best.keys.sorted().compactMap { key in best[key].map { ("best \(key)", $0) } }
  }

  /// The bytes of the file.
  package var data: Data {
    let tensors = tensors
    let header = Header(
      subject: subject, epochs: epochs, done: done, steps: state.steps, bestEpoch: bestEpoch,
      history: history,
      tensors: tensors.map { Header.Entry(name: $0.name, shape: $0.tensor.shape) })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let text = (try? encoder.encode(header)) ?? Data()
    var result = Self.magic
    var length = UInt64(text.count).littleEndian
    withUnsafeBytes(of: &length) { result.append(contentsOf: $0) }
    result.append(text)
    for (_, tensor) in tensors { tensor.withBytes { result.append(contentsOf: $0) } }
    return result
  }

  /// Reads a file's bytes.
  ///
  /// - Errors: `TrainingError` that says what is wrong with them; the caller adds the file.
  package init(_ data: Data) throws {
    func broken(_ what: String) -> TrainingError {
      TrainingError("\(what). Remove the file to train from the start.")
    }
    let start = Self.magic.count + 8
    guard data.count >= start, data.prefix(Self.magic.count) == Self.magic else {
      throw broken("is not a checkpoint of this version")
    }
    var place = data.startIndex + Self.magic.count
    let length = data[place..<place + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    place += 8
    guard length <= UInt64(data.count - start) else { throw broken("ends inside its header") }
    let header: Header
    do {
      header = try JSONDecoder().decode(Header.self, from: data[place..<place + Int(length)])
    } catch {
      throw broken("has a header that cannot be read")
    }
    place += Int(length)
    (subject, epochs, done, bestEpoch) = (header.subject, header.epochs, header.done, header.bestEpoch)
    history = header.history
    state = Trainer.State(steps: header.steps, numbers: [:])
    best = [:]
    for entry in header.tensors {
      guard let count = entry.shape.checkedElementCount, count <= (data.endIndex - place) / 4 else {
        throw broken("ends before \"\(entry.name)\"")
      }
      let bytes = data[place..<place + count * 4]
      place += count * 4
      let tensor = Tensor(shape: entry.shape, type: .float32) { target in bytes.copyBytes(to: target) }
      let parts = entry.name.split(separator: " ", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { throw broken("names a tensor \"\(entry.name)\"") }
      if parts[0] == "best" {
        best[parts[1]] = tensor
      } else {
        state.numbers[parts[1], default: []].append(tensor)
      }
    }
    guard place == data.endIndex else { throw broken("is \(data.endIndex - place) bytes too long") }
  }
}

/// What one epoch came to.
package struct TrainingPoint: Sendable, Hashable, Codable {
  /// Mean over the epoch's steps.
  package var loss: Double
  /// On the samples held back: KL from the float32 network, and top-1 where there are labels.
  package var divergence: Double?
  package var top1: Double?
  package var seconds: Double

  package init(loss: Double, divergence: Double? = nil, top1: Double? = nil, seconds: Double = 0) {
    self.loss = loss
    self.divergence = divergence
    self.top1 = top1
    self.seconds = seconds
  }
}
