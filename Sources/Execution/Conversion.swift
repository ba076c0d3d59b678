import CKernels
import Graph
import Operators
import Tensors

extension Compiler {
  /// The place where a value lies in `form`, made from another of its places by conversion steps where necessary.
  mutating func bring(_ value: ValueName, _ form: Form) throws -> Place.Home {
    guard let info = infos[value], let shape = info.shape else {
      preconditionFailure("kernels read values of known shape")
    }
    let known = knownPlaces(value)
    func fits(_ place: Place) -> Bool { Self.sameOrder(place.form.layout, form.layout, shape) }
    if let place = known.first(where: { $0.form.content == form.content && fits($0) }) { return place.home }
    if let place = known.first(where: { $0.form.content == form.content }) {
      return convert(value, info, shape, from: place, to: form)
    }
    switch form.content {
    case .plain:
      guard let place = known.first(where: { if case .codes = $0.form.content { true } else { false } })
      else {
        preconditionFailure("\"\(value)\" is read before it is written")
      }
      return try step(value, info, shape, from: place, to: form)
    case .codes:
      let source = known.first { $0.form.content == .plain } ?? known.first
      guard let source else { preconditionFailure("\"\(value)\" is read before it is written") }
      return try step(value, info, shape, from: source, to: form)
    case .decoded(let codes):
      let layout =
        known.first { $0.form.content == .codes(codes) }?.form.layout ?? known.first?.form.layout
        ?? form.layout
      let home = try bring(value, Form(.codes(codes), layout))
      return try step(
        value, info, shape, from: Place(form: Form(.codes(codes), layout), home: home), to: form)
    }
  }

  /// Converts the content in the source's layout, then the layout.
  private mutating func step(
    _ value: ValueName, _ info: OperandInfo, _ shape: Shape, from source: Place, to form: Form
  ) throws -> Place.Home {
    _ = convert(value, info, shape, from: source, to: Form(form.content, source.form.layout))
    return try bring(value, form)
  }

  static func sameOrder(_ a: Layout, _ b: Layout, _ shape: Shape) -> Bool {
    a == b || (a.isRowMajor(for: shape) && b.isRowMajor(for: shape))
  }

  /// Appends the step (for a constant: runs it) that makes one form of a value from another, and notes the new place.
  private mutating func convert(
    _ value: ValueName, _ info: OperandInfo, _ shape: Shape, from source: Place, to form: Form
  ) -> Place.Home {
    let call =
      source.form.content == form.content
      ? relayout(info.type, shape, source.form, form) : recode(shape.elementCount, source.form, form)
    let bytes = shape.elementCount * form.elementBytes(info.type)
    let home: Place.Home
    if case .constant(let index) = source.home {
      let tensor = Tensor(shape: [bytes], type: .uint8) { target in
        constants[index].withBytes { bytes in
          guard let x = bytes.baseAddress, let y = target.baseAddress, target.count > 0 else { return }
          var fault = KernelFault.none
          withUnsafeMutablePointer(to: &fault) { fault in
            for phase in call.bind(KernelMemory(reads: [x], writes: [y], scratch: y, fault: fault)) {
              for chunk in 0..<phase.chunks { phase.run(chunk, 0) }
            }
          }
        }
      }
      home = constant(tensor)
    } else {
      let target = buffer(bytes)
      home = .buffer(target)
      append(
        call,
        info: StepInfo(
          name: value, nodes: [], kernel: call.kernel, macs: 0,
          bytesRead: shape.elementCount * source.form.elementBytes(info.type), bytesWritten: bytes,
          mode: .float),
        reads: [source.home], writes: [home])
    }
    places[value, default: []].append(Place(form: form, home: home))
    return home
  }

  /// Another order of the same elements.
  private func relayout(_ type: ElementType, _ shape: Shape, _ source: Form, _ target: Form) -> KernelCall {
    let bytes = source.elementBytes(type)
    let (logical, from) = Self.order(source.layout, target.layout, shape, source.layout)
    let (_, to) = Self.order(source.layout, target.layout, shape, target.layout)
    let copy = StridedCopy(shape: logical, source: from, target: to, elementBytes: bytes)
    return KernelCall("layout", reads: [], writes: []) { [kernels] memory in
      [copy.phase(memory.reads[0], memory.writes[0], kernels: kernels)]
    }
  }

  /// Logical shape and strides under a layout, splitting the features of a flattened image where one side is one.
  private static func order(_ a: Layout, _ b: Layout, _ shape: Shape, _ layout: Layout) -> (Shape, [Int]) {
    for candidate in [a, b] {
      guard case .flattened(let channels) = candidate, shape.count == 2, channels > 0 else { continue }
      let image = [shape[0], channels, shape[1] / channels]
      if case .flattened = layout { return (image, Layout.channelsLast.strides(of: image)) }
      return (image, image.rowMajorStrides)
    }
    return (shape, layout.strides(of: shape))
  }

  /// Other codes or numbers for the same elements in the same order.
  private func recode(_ count: Int, _ source: Form, _ target: Form) -> KernelCall {
    let grain = 1 << 15
    let kernels = kernels
    switch (source.content, target.content) {
    case (.codes(let a), .codes(let b)):
      let table = a.table(to: b)
      return KernelCall("requantize", reads: [], writes: []) { memory in
        let x = memory.reads[0].assumingMemoryBound(to: UInt8.self)
        let y = memory.writes[0].assumingMemoryBound(to: UInt8.self)
        return [
          Phase.over(count, grain: grain) { from, to in
            kernels.pointee.lookup_u8(x + from, to - from, table, y + from)
          }
        ]
      }
    case (_, .codes(let codes)):
      return KernelCall("quantize", reads: [], writes: []) { memory in
        let x = memory.reads[0].assumingMemoryBound(to: Float.self)
        let y = memory.writes[0].assumingMemoryBound(to: UInt8.self)
        return [
          Phase.over(count, grain: grain) { from, to in
            kernels.pointee.quantize_f32_u8(
              x + from, to - from, codes.scale, codes.zero, codes.lower, codes.upper, y + from)
          }
        ]
      }
    case (.codes(let codes), _):
      return KernelCall("dequantize", reads: [], writes: []) { memory in
        let x = memory.reads[0].assumingMemoryBound(to: UInt8.self)
        let y = memory.writes[0].assumingMemoryBound(to: Float.self)
        return [
          Phase.over(count, grain: grain) { from, to in
            kernels.pointee.dequantize_u8_f32(x + from, to - from, codes.scale, codes.zero, y + from)
          }
        ]
      }
    default: preconditionFailure("a conversion starts or ends with codes")
    }
  }
}
