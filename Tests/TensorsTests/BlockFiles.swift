import Datasets
import Foundation
import Tensors

/// Blocks made by others: the shared dequantization examples, and the encoders' in Tests/Fixtures/blocks.
enum BlockFiles {
  static let golden: String = {
    let root =
      ProcessInfo.processInfo.environment["LATHE_SHARED"]
      ?? package.deletingLastPathComponent().appendingPathComponent("shared").path
    return root + "/conformance/gguf_dequant_golden.npz"
  }()

  static var goldenExists: Bool { FileManager.default.fileExists(atPath: golden) }
  static let encoded = package.appendingPathComponent("Tests/Fixtures/blocks/blocks.npz").path

  private static let package = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
}

extension Npz {
  func floats(_ name: String) throws -> [Float] { try read(name).array(of: Float.self) }
  func bytes(_ name: String) throws -> [UInt8] { try read(name).array(of: UInt8.self) }
}

extension BlockFormat {
  func decode(_ blocks: [UInt8]) -> [Float] {
    let count = blocks.count / bytes * elements
    return [Float](unsafeUninitializedCapacity: count) { reals, size in
      if let to = reals.baseAddress {
        blocks.withUnsafeBytes { from in from.baseAddress.map { decode($0, count: count, into: to) } }
      }
      size = count
    }
  }

  /// Rows of as many weights as there are importances, or one row.
  func encode(_ x: [Float], importance: [Float]? = nil) -> [UInt8] {
    let columns = importance?.count ?? x.count
    var blocks = [UInt8](repeating: 0xA5, count: x.count / elements * bytes)
    blocks.withUnsafeMutableBytes { to in
      x.withUnsafeBufferPointer { from in
        guard let to = to.baseAddress, let from = from.baseAddress else { return }
        for row in 0..<x.count / columns {
          let target = to + row * columns / elements * bytes
          let source = from + row * columns
          if let importance {
            importance.withUnsafeBufferPointer {
              encode(source, count: columns, importance: $0.baseAddress, into: target)
            }
          } else {
            encode(source, count: columns, importance: nil, into: target)
          }
        }
      }
    }
    return blocks
  }

  /// Reals through `unpack`, and the codes.
  func unpacked(_ blocks: [UInt8], group: Int) -> (reals: [Float], codes: [Int8], minimums: [Float]) {
    let count = blocks.count / bytes * elements
    var codes = [Int8](repeating: 99, count: count)
    var scales = [Float](repeating: .nan, count: count / group)
    var minimums = scales
    blocks.withUnsafeBytes { from in
      guard let from = from.baseAddress else { return }
      unpack(from, count: count, codes: &codes, scales: &scales, minimums: &minimums)
    }
    let reals = codes.indices.map { scales[$0 / group] * Float(codes[$0]) + minimums[$0 / group] }
    return (reals, codes, minimums)
  }
}

/// Σ w·(x − y)², with w of 1 or repeated along the rows.
func squaredError(_ x: [Float], _ y: [Float], importance: [Float]? = nil) -> Double {
  x.indices.reduce(0) { sum, i in
    let rest = Double(x[i]) - Double(y[i])
    return sum + Double(importance.map { $0[i % $0.count] } ?? 1) * rest * rest
  }
}

/// Normal weights, seeded.
func normalWeights(_ count: Int, seed: UInt64, deviation: Double = 1) -> [Float] {
  var generator = SplitMix64(seed: seed)
  return (0..<count).map { _ in
    let (u, v) = (
      Double.random(in: 1e-12..<1, using: &generator), Double.random(in: 0..<1, using: &generator)
    )
    return Float(deviation * (-2 * log(u)).squareRoot() * cos(2 * .pi * v))
  }
}
