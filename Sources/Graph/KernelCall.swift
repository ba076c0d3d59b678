import CKernels
import Tensors

/// An operator that kernels compute on memory planned ahead.
///
/// Operators without it run their reference.
package protocol Lowerable: Operator {
  /// What fuses behind this operator, so that its kernels compute it.
  var fusions: Fusions { get }
  /// Axis of the output that a fused bias runs along.
  func channelAxis(rank: Int) -> Int
  /// The kernels for a node of this operator, or `nil` where none fits and the reference must run.
  func lower(_ site: LoweringSite) throws -> KernelCall?
}

extension Lowerable {
  package var fusions: Fusions { [] }
  package func channelAxis(rank: Int) -> Int { rank - 1 }
}

/// What may fuse behind an operator.
package struct Fusions: OptionSet, Sendable {
  package let rawValue: Int
  package init(rawValue: Int) { self.rawValue = rawValue }
  /// A constant added per output channel.
  package static let bias = Fusions(rawValue: 1)
  /// A clamp (Relu, Clip).
  package static let clamp = Fusions(rawValue: 2)
  /// The sum with another value of the same shape.
  package static let residual = Fusions(rawValue: 4)
  /// A bound of each channel, where the output is codes.
  package static let channelClamp = Fusions(rawValue: 8)
}

/// A node as a lowering sees it: operands, how it computes, what fuses behind it.
package struct LoweringSite {
  package struct Operand {
    package var info: OperandInfo
    /// The order the value's elements lie in now; another order costs a copy.
    package var layout: Layout
    /// The codes this node reads the value as: set in mode `static` where the value is encoded.
    package var codes: ByteCodes?
    /// The constant in integers, where the node computes with it so.
    package var encoded: EncodedTensor?
    /// How many pairs of lowest and highest value of each image the step that computed the value leaves behind, to be
    /// read as `.extremes`; `nil` where it leaves none.
    package var extremes: Int?

    package init(
      info: OperandInfo, layout: Layout, codes: ByteCodes? = nil, encoded: EncodedTensor? = nil,
      extremes: Int? = nil
    ) {
      self.extremes = extremes
      self.info = info
      self.layout = layout
      self.codes = codes
      self.encoded = encoded
    }

    /// The form in which this node reads the value as float32 (or its own type) in a given order.
    package func decoded(_ layout: Layout) -> Form { Form(codes.map { .decoded($0) } ?? .plain, layout) }
  }

  package var name: String
  package var inputs: [Operand?]
  package var outputs: [OperandInfo]
  package var layer: LayerEncoding
  /// The int32 bias that replaces the node's bias input.
  package var encodedBias: EncodedBias?
  /// The codes every reader of the (first) output wants; `nil` where someone reads it as computed.
  package var outputCodes: ByteCodes?
  package var epilogue: Epilogue
  package var kernels: UnsafePointer<ck_table>
  /// Where attention keeps keys and values between runs.
  package var cache: KeyValueCache?

  package init(
    name: String, inputs: [Operand?], outputs: [OperandInfo],
    layer: LayerEncoding = LayerEncoding(mode: .float),
    encodedBias: EncodedBias? = nil, outputCodes: ByteCodes? = nil, epilogue: Epilogue = Epilogue(),
    kernels: UnsafePointer<ck_table>
  ) {
    self.name = name
    self.inputs = inputs
    self.outputs = outputs
    self.layer = layer
    self.encodedBias = encodedBias
    self.outputCodes = outputCodes
    self.epilogue = epilogue
    self.kernels = kernels
  }

  /// Input `index` where the node has it.
  package func input(_ index: Int) -> Operand? { inputs.indices.contains(index) ? inputs[index] : nil }
}

/// What fuses behind a node: y = clamp(node + bias + residual).
package struct Epilogue {
  /// Added per output channel.
  package var bias: [Float]?
  package var lower: Float = -.infinity
  package var upper: Float = .infinity
  /// Upper bounds of the channels; only for lowerings with `Fusions.channelClamp`, which take it to codes.
  package var channelUpper: [Float]?
  package var residual: Residual?

  package init() {}

  package struct Residual {
    package var operand: LoweringSite.Operand
    /// In integers the node's own result is encoded before the sum: DESIGN "Integer".
    ///
    /// `nil`: the sum is in float32.
    package var branch: ByteCodes?
    /// A clamp of the sum; `Epilogue.lower` and `upper` are then a clamp of the branch.
    package var lower: Float = -.infinity
    package var upper: Float = .infinity

    package init(operand: LoweringSite.Operand, branch: ByteCodes?) {
      self.operand = operand
      self.branch = branch
    }
  }
}

extension LayerEncoding {
  /// Which activations share a range in mode `dynamic`: one range per sample of an image, one per row of features
  /// elsewhere, unless the layer says otherwise.
  package func sharing(isImage: Bool) -> DynamicActivation {
    dynamicActivation ?? (isImage ? .sample : .token)
  }
}

/// What a lowering returns: which memory it reads and writes in which form, and how to make the work of it.
package struct KernelCall {
  package enum Source: Sendable, Hashable {
    case input(Int)
    case residual
    /// What the step that computed an input found of it: `Operand.extremes`.
    case extremes(Int)
  }
  package struct Read {
    package var source: Source
    package var form: Form
    package init(_ source: Source, _ form: Form) {
      self.source = source
      self.form = form
    }
  }

  /// What `lathe bench` calls it, for example `conv f32`.
  package var kernel: String
  package var reads: [Read]
  /// One per output.
  package var writes: [Form]
  package var scratchBytes = 0
  /// Scratch of each thread, one after the other behind the first `scratchBytes`, a multiple of 64 each.
  package var scratchBytesPerThread = 0
  /// Index of a read whose memory the first output may take over: each element is read before it is written.
  package var inPlace: Int?
  /// The first output is the same bytes as the first read; nothing runs.
  package var isAlias = false
  package var packedBytes = 0
  /// How the chunks of the last phase divide a float output, where its extremes may be found as it is written.
  package var parts: OutputParts?
  /// Set where the work is one phase over this many float32 elements, and each chunk reads and writes only its own
  /// elements of every operand (or one scalar): such calls in a row are run chunk by chunk, while the elements are in
  /// the cache.
  package var elements: Int?
  /// Makes the work for given addresses; called once, after memory is planned.
  package var bind: (KernelMemory) -> [Phase]

  package init(
    _ kernel: String, reads: [Read], writes: [Form], scratchBytes: Int = 0,
    scratchBytesPerThread: Int = 0, inPlace: Int? = nil, packedBytes: Int = 0,
    bind: @escaping (KernelMemory) -> [Phase]
  ) {
    self.kernel = kernel
    self.reads = reads
    self.writes = writes
    self.scratchBytes = scratchBytes
    self.scratchBytesPerThread = scratchBytesPerThread
    self.inPlace = inPlace
    self.packedBytes = packedBytes
    self.bind = bind
  }

  /// The first output is input `index` under another name and shape.
  package static func alias(_ index: Int, _ read: Form, as write: Form) -> KernelCall {
    var call = KernelCall("view", reads: [Read(.input(index), read)], writes: [write]) { _ in [] }
    call.isAlias = true
    return call
  }
}

/// The elements each chunk of a call's last phase writes of its first output.
package struct OutputParts {
  /// Chunks of each image of the batch, which follow each other.
  package var perImage: Int
  /// Calls back with the first element and the length of every run of elements that a chunk writes.
  package var visit: (_ chunk: Int, _ run: (_ start: Int, _ count: Int) -> Void) -> Void

  package init(perImage: Int, visit: @escaping (Int, (Int, Int) -> Void) -> Void) {
    self.perImage = perImage
    self.visit = visit
  }
}

extension KernelCall {
  /// The call with another output: the lowest and highest value of each chunk's part of the first one, found while the
  /// part is in the cache.
  package func findingExtremes(of parts: OutputParts, _ kernels: UnsafePointer<ck_table>) -> KernelCall {
    var call = self
    call.writes.append(Form())
    call.bind = { [bind] memory in
      var own = memory
      let extremes = own.writes.removeLast().assumingMemoryBound(to: Float.self)
      let output = UnsafePointer(own.writes[0].assumingMemoryBound(to: Float.self))
      var phases = bind(own)
      guard let last = phases.popLast() else { return phases }
      phases.append(
        Phase(
          chunks: last.chunks,
          onThread: { chunk, thread in
            last.run(chunk, thread)
            var (lowest, highest) = (Float.infinity, -Float.infinity)
            parts.visit(chunk) { start, count in
              var (low, high) = (Float.infinity, -Float.infinity)
              kernels.pointee.minmax_f32(output + start, count, &low, &high)
              lowest = Swift.min(lowest, low)
              highest = Swift.max(highest, high)
            }
            extremes[2 * chunk] = lowest
            extremes[2 * chunk + 1] = highest
          }))
      return phases
    }
    return call
  }
}

/// Addresses of a call's operands: fixed for the life of a program.
package struct KernelMemory: @unchecked Sendable {
  package var reads: [UnsafeRawPointer]
  package var writes: [UnsafeMutableRawPointer]
  /// 64-byte aligned.
  package var scratch: UnsafeMutableRawPointer
  /// A phase of one chunk writes here what makes the step's result meaningless; the program then stops with an error.
  package var fault: UnsafeMutablePointer<KernelFault>

  package init(
    reads: [UnsafeRawPointer], writes: [UnsafeMutableRawPointer], scratch: UnsafeMutableRawPointer,
    fault: UnsafeMutablePointer<KernelFault>
  ) {
    self.fault = fault
    self.reads = reads
    self.writes = writes
    self.scratch = scratch
  }
}

/// What a step finds wrong with the data it is given.
package enum KernelFault: Int32, Sendable {
  case none
  case indexOutside
  case cacheFull
}

/// Work that threads share: `chunks` independent pieces, the same whatever the number of threads.
///
/// The phases of a call follow each other.
///
/// `run` may be called from any thread, for different chunks at once: it writes only what belongs to its chunk.
package struct Phase: @unchecked Sendable {
  package var chunks: Int
  package var run: (_ chunk: Int, _ thread: Int) -> Void

  package init(chunks: Int, _ run: @escaping (Int) -> Void) {
    self.init(chunks: chunks, onThread: { chunk, _ in run(chunk) })
  }

  /// Work that has scratch memory for each thread; threads are numbered from 0.
  package init(chunks: Int, onThread run: @escaping (_ chunk: Int, _ thread: Int) -> Void) {
    self.chunks = chunks
    self.run = run
  }

  /// `count` items in chunks of `grain`.
  package static func over(
    _ count: Int, grain: Int, _ run: @escaping (_ from: Int, _ to: Int) -> Void
  ) -> Phase {
    let grain = Swift.max(grain, 1)
    let chunks = (count + grain - 1) / grain
    return Phase(chunks: chunks) { chunk in run(chunk * grain, Swift.min((chunk + 1) * grain, count)) }
  }
}
