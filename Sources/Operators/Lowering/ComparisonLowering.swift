import CKernels
import Graph
import Tensors

/// A question about two elements, as a type, so that loops are compiled for it.
private protocol Question {
  associatedtype Element: Comparable & BitwiseCopyable
  static func answer(_ a: Element, _ b: Element) -> Bool
}

private enum IsEqual<T: Comparable & BitwiseCopyable>: Question {
  static func answer(_ a: T, _ b: T) -> Bool { a == b }
}
private enum IsLess<T: Comparable & BitwiseCopyable>: Question {
  static func answer(_ a: T, _ b: T) -> Bool { a < b }
}
private enum IsAtMost<T: Comparable & BitwiseCopyable>: Question {
  static func answer(_ a: T, _ b: T) -> Bool { a <= b }
}
private enum IsMore<T: Comparable & BitwiseCopyable>: Question {
  static func answer(_ a: T, _ b: T) -> Bool { a > b }
}
private enum IsAtLeast<T: Comparable & BitwiseCopyable>: Question {
  static func answer(_ a: T, _ b: T) -> Bool { a >= b }
}

extension ComparisonFunction {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let operands = BroadcastOperands(site, indices: [0, 1]), let a = site.input(0),
      let b = site.input(1),
      a.info.type == b.info.type
    else { return nil }
    switch a.info.type {
    case .float32: return call(operands, Float.self)
    case .int32: return call(operands, Int32.self)
    case .int64: return call(operands, Int64.self)
    default: return nil
    }
  }

  private func call<T: Comparable & BitwiseCopyable>(_ operands: BroadcastOperands, _ type: T.Type)
    -> KernelCall?
  {
    switch self as any ComparisonFunction {
    case is Equal: ask(operands, IsEqual<T>.self)
    case is Less: ask(operands, IsLess<T>.self)
    case is LessOrEqual: ask(operands, IsAtMost<T>.self)
    case is Greater: ask(operands, IsMore<T>.self)
    case is GreaterOrEqual: ask(operands, IsAtLeast<T>.self)
    default: nil
    }
  }

  private func ask<Q: Question>(_ operands: BroadcastOperands, _ question: Q.Type) -> KernelCall {
    let plan = operands.plan
    let (a, b) = (plan.inner[1], plan.inner[2])
    return KernelCall(Self.name.type, reads: operands.reads, writes: [Form(.plain, operands.layout)]) {
      memory in
      let (x, y) = (memory.reads[0].of(Q.Element.self), memory.reads[1].of(Q.Element.self))
      let out = memory.writes[0].of(UInt8.self)
      return [
        plan.phase(grain: rowGrain) { count, offsets in
          answerRow(question, x + offsets[1], a, y + offsets[2], b, out + offsets[0], count)
        }
      ]
    }
  }
}

/// The answers of a row whose operands step by `a` and `b` elements.
private func answerRow<Q: Question>(
  _ question: Q.Type, _ x: UnsafePointer<Q.Element>, _ a: Int, _ y: UnsafePointer<Q.Element>, _ b: Int,
  _ out: UnsafeMutablePointer<UInt8>, _ count: Int
) {
  switch (a, b) {
  case (1, 1): for i in 0..<count { out[i] = Q.answer(x[i], y[i]) ? 1 : 0 }
  case (0, 1):
    let first = x[0]
    for i in 0..<count { out[i] = Q.answer(first, y[i]) ? 1 : 0 }
  case (1, 0):
    let second = y[0]
    for i in 0..<count { out[i] = Q.answer(x[i], second) ? 1 : 0 }
  default: for i in 0..<count { out[i] = Q.answer(x[i &* a], y[i &* b]) ? 1 : 0 }
  }
}

extension BitFunction {
  /// Truth values, a byte each.
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard Self.isLogical, let operands = BroadcastOperands(site, indices: [0, 1]) else { return nil }
    return loopPairs(site, operands, label: Self.name.type) { (a: UInt8, b: UInt8) in value(a, b) }
  }
}

extension Not: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), let count = x.info.count else { return nil }
    return KernelCall(
      "Not", reads: [KernelCall.Read(.input(0), Form(.plain, x.layout))], writes: [Form(.plain, x.layout)]
    ) { memory in
      let (from, to) = (memory.reads[0].of(UInt8.self), memory.writes[0].of(UInt8.self))
      return [
        Phase.over(count, grain: rowGrain) { start, end in
          for i in start..<end { to[i] = from[i] == 0 ? 1 : 0 }
        }
      ]
    }
  }
}
