// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-warpgroup-products: a product of 16-bit floats, or of tf32,
// becomes a kernel of three warpgroups for Hopper, one that copies tiles and
// two that multiply.

#include "lowering/Passes.h"
#include "lowering/gpu/Device.h"
#include "lowering/gpu/WarpgroupEpilogue.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {
#define GEN_PASS_DEF_LOWERWARPGROUPPRODUCTS
#define GEN_PASS_DEF_PLACETENSORMAPS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using weft::Factor;
using weft::NvvmBuilder;
using weft::StoredResult;
using weft::TensorMap;
using weft::TilePlace;
using weft::Warpgroup;
using weft::WarpgroupEpilogue;
using weft::WarpgroupPlan;
using weft::WarpgroupTile;

namespace {

/// All kernels' shared memory: its size is that of the launch.
constexpr llvm::StringLiteral sharedName = "weft_shared";
/// Bytes of 64 lines of 128: what a box has that is not summed inside.
constexpr int64_t boxBytes = 64 * 128;
/// Registers of a thread that copies, and of one that multiplies. Of 384
/// threads each begins with 168.
constexpr uint32_t copyRegisters = 56, sumRegisters = 224;

/// A place in the ring of stages, and the parity of the turn.
struct Turn {
  Value stage, parity;
};

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

class KernelCode {
public:
  KernelCode(gpu::GPUFuncOp func, const WarpgroupPlan &plan,
             ArrayRef<Value> maps)
      : b(func.getLoc(), func.getContext()), plan(plan), leftMap(maps[0]),
        rightMap(maps[1]), resultMaps(maps.drop_front(2)) {
    b.setInsertionPoint(func.getBody().front().getTerminator());
  }

  void build() {
    auto shared = LLVM::LLVMPointerType::get(b.getContext(), 3);
    group.shared = LLVM::AddressOfOp::create(b, shared, sharedName);
    full = b.at(group.shared, plan.barrierOffset());
    empty = b.at(full, 8 * plan.stages);
    Value thread = b.threadInBlock(plan.threads());
    initBarriers(thread);
    if (plan.splits > 1)
      group.rank = b.modulo(b.block(), plan.splits);
    if (plan.neighbours > 1)
      neighbour = b.modulo(b.block(), plan.neighbours);
    Value role = b.uniform(b.over(thread, 128));
    group.thread = b.modulo(thread, 128);
    group.isFirstThread = b.isEqual(group.thread, 0);
    releases = b.isLess(group.thread, plan.neighbours);
    auto roles = scf::IfOp::create(b, b.isEqual(role, 0), true);
    b.setInsertionPointToStart(roles.thenBlock());
    copy();
    b.setInsertionPointToStart(roles.elseBlock());
    group.number = b.minus(role, 1);
    multiply();
    b.setInsertionPointAfter(roles);
    // Neighbours copy to this block, and say so to its barriers, until here.
    if (neighbour)
      b.syncCluster(/*publishes=*/false);
  }

private:
  void initBarriers(Value thread) {
    b.when(b.isEqual(thread, 0), [&] {
      for (int64_t stage = 0; stage < plan.stages; ++stage) {
        b.initBarrier(b.at(full, 8 * stage), 1);
        b.initBarrier(b.at(empty, 8 * stage),
                      WarpgroupTile::warpgroups * plan.neighbours);
      }
      NVVM::FenceMbarrierInitOp::create(b);
    });
    if (plan.neighbours > 1)
      b.syncCluster(/*publishes=*/false);
    else
      NVVM::Barrier0Op::create(b);
  }

  //===--------------------------------------------------------------------===//
  // Tiles and stages
  //===--------------------------------------------------------------------===//

  /// Calls `body` for each tile of this block, the stages' ring passed on.
  void forTiles(int64_t parity,
                function_ref<Turn(const TilePlace &, Turn)> body) {
    int64_t strides = plan.blocks() / plan.clusterBlocks();
    b.loop(b.over(b.block(), plan.clusterBlocks()), b.number(plan.numUnits()),
           b.number(strides), {b.number(0), b.number(parity)},
           [&](Value tile, ValueRange turn) {
             Turn next = body(placeOf(tile), {turn[0], turn[1]});
             return SmallVector<Value>{next.stage, next.parity};
           });
  }

  /// Tiles that run at once are near each other, so that they find each other's
  /// factors in the cache: a few rows of them at a time, column by column.
  TilePlace placeOf(Value tile) {
    TilePlace place;
    int64_t tiles = plan.unitRows() * plan.tileColumns();
    Value rest = b.over(tile, tiles);
    place.outer.resize(plan.outer.size());
    for (size_t i = plan.outer.size(); i-- > 0;) {
      int64_t extent = plan.nest.extents[plan.outer[i]];
      place.outer[i] = i ? b.modulo(rest, extent) : rest;
      rest = b.over(rest, extent);
    }
    tile = plan.outer.empty() ? tile : b.modulo(tile, tiles);
    int64_t band = plan.raster * plan.tileColumns();
    Value first = b.times(b.over(tile, band), plan.raster);
    Value inBand = b.modulo(tile, band), height = b.number(plan.raster);
    if (plan.unitRows() % plan.raster)
      height = arith::MinUIOp::create(
          b, height,
          arith::SubIOp::create(b, b.number(plan.unitRows()), first));
    Value row = arith::RemUIOp::create(b, inBand, height);
    Value column = arith::DivUIOp::create(b, inBand, height);
    place.row = b.times(b.plus(first, row), plan.neighbours * plan.tile.rows);
    if (neighbour)
      place.row = b.plus(place.row, b.times(neighbour, plan.tile.rows));
    place.column = b.times(column, plan.tile.columns);
    return place;
  }

  /// The first step of this block, and how many there are.
  std::pair<Value, Value> ownSteps() {
    if (!group.rank)
      return {b.number(0), b.number(plan.steps())};
    Value first = b.times(group.rank, plan.blockSteps());
    if (plan.steps() % plan.splits == 0)
      return {first, b.number(plan.blockSteps())};
    Value left = arith::SubIOp::create(b, b.number(plan.steps()), first);
    return {first,
            arith::MinUIOp::create(b, left, b.number(plan.blockSteps()))};
  }

  Turn next(Turn turn) {
    Value stage = b.plus(turn.stage, 1);
    Value wraps = b.isEqual(stage, plan.stages);
    Value flipped = arith::XOrIOp::create(b, turn.parity, b.number(1));
    return {arith::SelectOp::create(b, wraps, b.number(0), stage),
            arith::SelectOp::create(b, wraps, flipped, turn.parity)};
  }

  Value stageBefore(Value stage) {
    return arith::SelectOp::create(
        b, b.isEqual(stage, 0), b.number(plan.stages - 1), b.minus(stage, 1));
  }

  Value barrier(Value first, Value stage) {
    return b.at(first, b.times(stage, 8));
  }

  //===--------------------------------------------------------------------===//
  // The warpgroup that copies
  //===--------------------------------------------------------------------===//

  void copy() {
    NVVM::SetMaxRegisterOp::create(b, copyRegisters,
                                   NVVM::SetMaxRegisterAction::decrease);
    b.when(group.isFirstThread, [&] {
      forTiles(/*parity=*/1, [&](const TilePlace &tile, Turn turn) {
        auto [first, count] = ownSteps();
        ValueRange last =
            b.loop(b.number(0), count, b.number(1), {turn.stage, turn.parity},
                   [&, begin = first](Value step, ValueRange now) {
                     Value summed =
                         b.times(b.plus(begin, step), plan.sumStep());
                     copyStep(tile, summed, {now[0], now[1]});
                     Turn then = next({now[0], now[1]});
                     return SmallVector<Value>{then.stage, then.parity};
                   });
        return Turn{last[0], last[1]};
      });
    });
    // The other warpgroups' meetings.
    if (group.rank) {
      b.syncCluster(/*publishes=*/true);
      b.syncCluster(/*publishes=*/false);
    }
  }

  void copyStep(const TilePlace &tile, Value summed, Turn turn) {
    b.waitBarrier(barrier(empty, turn.stage), turn.parity);
    Value isFull = barrier(full, turn.stage);
    b.expectBytes(isFull, plan.stageBytes());
    Value left = b.at(group.shared, b.times(turn.stage, plan.leftBytes()));
    Value right = b.at(b.at(group.shared, plan.stages * plan.leftBytes()),
                       b.times(turn.stage, plan.rightBytes()));
    copyFactor(plan.left, leftMap, left, tile, summed, isFull);
    copyFactor(plan.right, rightMap, right, tile, summed, isFull);
  }

  /// Neighbours read the same columns: each copies a part of them to all.
  void copyFactor(const Factor &factor, Value map, Value to, TilePlace tile,
                  Value summed, Value isFull) {
    bool isLeft = factor.loop == plan.left.loop;
    int64_t extent = isLeft ? plan.tile.rows : plan.tile.columns;
    Value &moving = isLeft ? tile.row : tile.column;
    int64_t blocks = 0;
    if (neighbour && !isLeft) {
      extent /= plan.neighbours;
      blocks = (1 << plan.neighbours) - 1;
      moving = b.plus(moving, b.times(neighbour, extent));
      to = b.at(to, b.times(neighbour, extent / 64 * boxBytes));
    }
    int64_t step = factor.summedInside ? extent : 64;
    for (int64_t done = 0; done < extent; done += step) {
      b.copyBox(b.at(to, done / 64 * boxBytes), map,
                tile.coordinates(plan, factor.map, summed), isFull, blocks);
      moving = b.plus(moving, step);
    }
  }

  //===--------------------------------------------------------------------===//
  // The warpgroups that multiply
  //===--------------------------------------------------------------------===//

  int64_t rowBlocks() const { return plan.tile.groupRows() / 64; }

  /// A struct of a thread's sums of 64 rows.
  Type sumsType() {
    SmallVector<Type> floats(plan.tile.groupColumns() / 2, b.getF32Type());
    return LLVM::LLVMStructType::getLiteral(b.getContext(), floats);
  }

  void multiply() {
    NVVM::SetMaxRegisterOp::create(b, sumRegisters,
                                   NVVM::SetMaxRegisterAction::increase);
    WarpgroupEpilogue epilogue(b, plan, group, resultMaps);
    bool splitsRows = plan.tile.splitsRows();
    leftBegin =
        descriptor(plan.left, 0, splitsRows ? rowBlocks() * boxBytes : 0);
    rightBegin =
        descriptor(plan.right, plan.stages * plan.leftBytes(),
                   splitsRows ? 0 : plan.tile.groupColumns() / 64 * boxBytes);
    forTiles(/*parity=*/0, [&](const TilePlace &tile, Turn turn) {
      auto [last, sums] = sumUp(turn);
      epilogue.run(tile, sums);
      return last;
    });
    epilogue.finish();
  }

  /// The part of a factor that the warpgroup reads, in the first stage.
  Value descriptor(const Factor &factor, int64_t offset, int64_t groupBytes) {
    // Addresses are in units of 16 bytes. Eight lines of 128 bytes are 1024
    // after each other, which are swizzled; boxes that are not summed inside,
    // boxBytes.
    constexpr int64_t unit = 16, swizzle128 = int64_t(1) << 62;
    int64_t fixed = swizzle128 | (1024 / unit) << 32;
    fixed |= (factor.summedInside ? 1 : boxBytes / unit) << 16;
    Value place = LLVM::PtrToIntOp::create(b, b.getI32Type(), group.shared);
    place = b.plus(b.plus(place, offset), b.times(group.number, groupBytes));
    // A descriptor has 14 bits for it.
    place = arith::AndIOp::create(b, b.over(place, unit), b.number(0x3fff));
    return arith::OrIOp::create(b, b.widen(place), b.number(fixed, 64));
  }

  /// One step's products stay in flight while the next ones are started, so a
  /// stage is free a step after it was read.
  std::pair<Turn, SmallVector<Value>> sumUp(Turn turn) {
    SmallVector<Value> passed{turn.stage, turn.parity};
    for (int64_t i = 0; i < rowBlocks(); ++i)
      passed.push_back(LLVM::ZeroOp::create(b, sumsType()));
    ValueRange last =
        b.loop(b.number(0), ownSteps().second, b.number(1), passed,
               [&](Value step, ValueRange now) {
                 SmallVector<Value> sums(now.drop_front(2));
                 b.waitBarrier(barrier(full, now[0]), now[1]);
                 multiplyStep(now[0], sums);
                 NVVM::WgmmaWaitGroupSyncOp::create(b, 1);
                 Value isLater = arith::CmpIOp::create(
                     b, arith::CmpIPredicate::ne, step, b.number(0));
                 release(stageBefore(now[0]),
                         arith::AndIOp::create(b, releases, isLater));
                 Turn then = next({now[0], now[1]});
                 SmallVector<Value> results{then.stage, then.parity};
                 results.append(sums);
                 return results;
               });
    NVVM::WgmmaWaitGroupSyncOp::create(b, 0);
    release(stageBefore(last[0]), releases);
    return {Turn{last[0], last[1]}, SmallVector<Value>(last.drop_front(2))};
  }

  /// In all blocks that copy to this one.
  void release(Value stage, Value condition) {
    b.when(condition, [&] {
      Value isEmpty = barrier(empty, stage);
      if (neighbour)
        b.arriveInCluster(b.inBlock(isEmpty, group.thread));
      else
        b.arrive(isEmpty);
    });
  }

  void multiplyStep(Value stage, SmallVectorImpl<Value> &sums) {
    auto atStage = [&](Value begin, int64_t bytes) {
      return b.plus(begin, b.widen(b.times(stage, bytes / 16)));
    };
    Value left = atStage(leftBegin, plan.leftBytes());
    Value right = atStage(rightBegin, plan.rightBytes());
    NVVM::WgmmaFenceAlignedOp::create(b);
    constexpr int64_t parts =
        WarpgroupPlan::lineBytes / WarpgroupPlan::partBytes;
    for (int64_t part = 0; part < parts; ++part)
      for (auto [block, sum] : llvm::enumerate(sums))
        sum = multiplyPart(
            sum,
            b.plus(left, part * partStep(plan.left) + block * boxBytes / 16),
            b.plus(right, part * partStep(plan.right)),
            part == 0 && plan.steps() == 1);
    NVVM::WgmmaGroupSyncAlignedOp::create(b);
  }

  /// How far the next part to sum over is, in a descriptor's units: within the
  /// line, or 16 lines further.
  static int64_t partStep(const Factor &factor) {
    return (factor.summedInside ? WarpgroupPlan::partBytes
                                : 16 * WarpgroupPlan::lineBytes) /
           16;
  }

  /// Where there is but one step, the first product need not add zeros.
  Value multiplyPart(Value sum, Value left, Value right, bool isFirst) {
    MLIRContext *context = b.getContext();
    Type element = getElementTypeOrSelf(plan.kernel.factors[0].getType());
    auto type = element.isF32()    ? NVVM::WGMMATypes::tf32
                : element.isBF16() ? NVVM::WGMMATypes::bf16
                                   : NVVM::WGMMATypes::f16;
    int64_t summed = WarpgroupPlan::partBytes / plan.elementBytes;
    auto one = NVVM::WGMMAScaleInAttr::get(context, NVVM::WGMMAScaleIn::one);
    // "row" is "as rows of the left factor would be summed over".
    auto layout = [&](bool isRow) {
      return NVVM::MMALayoutAttr::get(context, isRow ? NVVM::MMALayout::row
                                                     : NVVM::MMALayout::col);
    };
    return NVVM::WgmmaMmaAsyncOp::create(
        b, sumsType(), sum, left, right,
        NVVM::MMAShapeAttr::get(context, 64, plan.tile.groupColumns(), summed),
        NVVM::WGMMATypesAttr::get(context, type),
        NVVM::WGMMATypesAttr::get(context, type),
        NVVM::WGMMATypesAttr::get(context, NVVM::WGMMATypes::f32),
        NVVM::WGMMAScaleOutAttr::get(context, isFirst
                                                  ? NVVM::WGMMAScaleOut::zero
                                                  : NVVM::WGMMAScaleOut::one),
        one, one, layout(plan.left.summedInside),
        layout(!plan.right.summedInside), NVVM::MMAIntOverflowAttr());
  }

  NvvmBuilder b;
  const WarpgroupPlan &plan;
  Value leftMap, rightMap;
  ArrayRef<Value> resultMaps;
  Warpgroup group;
  /// The block's number among its neighbours, if there are any.
  Value neighbour;
  /// Whether the thread says that a stage is empty.
  Value releases;
  Value full, empty, leftBegin, rightBegin;
};

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// A tensor map that a kernel takes after its other arguments.
struct MapParameter {
  Value buffer;
  const TensorMap *map;
};

SmallVector<MapParameter> mapsOf(const WarpgroupPlan &plan) {
  SmallVector<MapParameter> result;
  for (const Factor *factor : {&plan.left, &plan.right})
    result.push_back({plan.kernel.factors[factor->operand], &factor->map});
  for (const StoredResult &each : plan.results)
    if (each.map)
      result.push_back({each.buffer, &*each.map});
  return result;
}

DictionaryAttr describe(const MapParameter &parameter) {
  Builder b(parameter.buffer.getContext());
  const TensorMap &map = *parameter.map;
  std::string type;
  llvm::raw_string_ostream(type)
      << (map.rounds ? Type(b.getTF32Type())
                     : getElementTypeOrSelf(parameter.buffer.getType()));
  return b.getDictionaryAttr(
      {b.getNamedAttr("dims", b.getDenseI64ArrayAttr(map.dims)),
       b.getNamedAttr("strides", b.getDenseI64ArrayAttr(map.strides)),
       b.getNamedAttr("box", b.getDenseI64ArrayAttr(map.box)),
       b.getNamedAttr("swizzle", b.getI64IntegerAttr(128)),
       b.getNamedAttr("type", b.getStringAttr(type))});
}

/// What the parameter of a tensor map carries.
DictionaryAttr attributesOf(Attribute tensorMap) {
  Builder b(tensorMap.getContext());
  auto bytes = LLVM::LLVMArrayType::get(b.getI8Type(), 128);
  return b.getDictionaryAttr(
      {b.getNamedAttr("llvm.byval", TypeAttr::get(bytes)),
       b.getNamedAttr("llvm.align", b.getI64IntegerAttr(64)),
       b.getNamedAttr(weft::tensorMapAttr, tensorMap)});
}

class LowerWarpgroupProducts final
    : public weft::impl::LowerWarpgroupProductsBase<LowerWarpgroupProducts> {
  using LowerWarpgroupProductsBase::LowerWarpgroupProductsBase;

  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<DictionaryAttr>("weft.gpu");
    auto chip = target ? target.getAs<StringAttr>("chip") : StringAttr();
    if (!chip || chip.getValue() != "sm_90a")
      return;
    auto count = target.getAs<IntegerAttr>("multiprocessors");
    SmallVector<gpu::GPUFuncOp> products;
    getOperation().walk([&](gpu::GPUFuncOp func) {
      auto kind = func->getAttrOfType<StringAttr>("weft.class");
      if (kind && kind.getValue() == "product")
        products.push_back(func);
    });
    weft::WarpgroupChoice choice{rows,   columns,    stages,     raster,
                                 splits, neighbours, copyResults};
    for (gpu::GPUFuncOp func : products)
      if (std::optional<WarpgroupPlan> plan =
              WarpgroupPlan::make(func, count ? count.getInt() : 132, choice))
        lower(func, *plan);
  }

  void lower(gpu::GPUFuncOp func, const WarpgroupPlan &plan) {
    declareSharedMemory(func);
    SmallVector<Value> maps;
    SmallVector<Attribute> descriptions;
    SmallVector<MapParameter> parameters = mapsOf(plan);
    for (const MapParameter &parameter : parameters) {
      descriptions.push_back(::describe(parameter));
      maps.push_back(addParameter(func, descriptions.back()));
    }
    func->setAttr(weft::tensorMapsAttr,
                  ArrayAttr::get(func.getContext(), descriptions));
    // A result that is not copied has no map.
    SmallVector<Value> places(maps.begin(), maps.begin() + 2);
    auto map = maps.begin() + 2;
    for (const StoredResult &each : plan.results)
      places.push_back(each.map ? *map++ : Value());
    KernelCode(func, plan, places).build();
    eraseOps(plan);
    describe(func, plan);
    passBuffers(func, parameters);
  }

  static void declareSharedMemory(gpu::GPUFuncOp func) {
    auto module = func->getParentOfType<gpu::GPUModuleOp>();
    if (module.lookupSymbol(sharedName))
      return;
    auto b = OpBuilder::atBlockBegin(module.getBody());
    auto bytes = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
    LLVM::GlobalOp::create(b, func.getLoc(), bytes, /*isConstant=*/false,
                           LLVM::Linkage::External, sharedName, Attribute(),
                           /*alignment=*/1024, /*addrSpace=*/3);
  }

  static Value addParameter(gpu::GPUFuncOp func, Attribute tensorMap) {
    unsigned number = func.getNumArguments();
    (void)func.insertArgument(number,
                              LLVM::LLVMPointerType::get(func.getContext()),
                              attributesOf(tensorMap), func.getLoc());
    return func.getArgument(number);
  }

  static void eraseOps(const WarpgroupPlan &plan) {
    for (linalg::GenericOp epilogue : llvm::reverse(plan.kernel.epilogues))
      epilogue->erase();
    linalg::GenericOp(plan.kernel.sum)->erase();
    if (linalg::FillOp fill = plan.kernel.fill)
      fill->erase();
    if (auto scratch = plan.kernel.sums.getDefiningOp<memref::AllocaOp>())
      scratch->erase();
  }

  static void describe(gpu::GPUFuncOp func, const WarpgroupPlan &plan) {
    Builder b(func.getContext());
    weft::stateSize(func, plan.blocks(), plan.threads());
    func->setAttr(weft::sharedBytesAttr, b.getI64IntegerAttr(plan.usedBytes()));
    // Without it, threads keep the registers that they begin with.
    func->setAttr("nvvm.minctasm", b.getI32IntegerAttr(1));
    if (plan.clusterBlocks() > 1)
      func->setAttr("nvvm.cluster_dim",
                    b.getDenseI32ArrayAttr(
                        {static_cast<int32_t>(plan.clusterBlocks()), 1, 1}));
  }

  /// Launches pass the buffers that the maps are of, as pointers to where they
  /// begin.
  void passBuffers(gpu::GPUFuncOp func, ArrayRef<MapParameter> parameters) {
    getOperation().walk([&](gpu::LaunchFuncOp launch) {
      if (SymbolTable::lookupNearestSymbolFrom(launch, launch.getKernel()) !=
          func)
        return;
      ImplicitLocOpBuilder b(launch.getLoc(), launch);
      SmallVector<Value> pointers;
      for (const MapParameter &parameter : parameters) {
        Value place = memref::ExtractAlignedPointerAsIndexOp::create(
            b, atLaunch(b, launch, parameter.buffer));
        Value bits = arith::IndexCastOp::create(b, b.getI64Type(), place);
        pointers.push_back(LLVM::IntToPtrOp::create(
            b, LLVM::LLVMPointerType::get(b.getContext()), bits));
      }
      launch.getKernelOperandsMutable().append(pointers);
    });
  }

  /// What a buffer in a kernel is outside: an operand of the launch, or a view.
  static Value atLaunch(OpBuilder &b, gpu::LaunchFuncOp launch, Value buffer) {
    Operation *view = buffer.getDefiningOp();
    if (!view)
      return launch.getKernelOperand(
          cast<BlockArgument>(buffer).getArgNumber());
    IRMapping mapping;
    mapping.map(view->getOperand(0), atLaunch(b, launch, view->getOperand(0)));
    return b.clone(*view, mapping)->getResult(0);
  }
};

class PlaceTensorMaps final
    : public weft::impl::PlaceTensorMapsBase<PlaceTensorMaps> {
  void runOnOperation() override {
    getOperation()->walk([](LLVM::LLVMFuncOp func) {
      if (auto maps = func->getAttrOfType<ArrayAttr>(weft::tensorMapsAttr))
        place(func, maps);
    });
  }

  static void place(LLVM::LLVMFuncOp func, ArrayAttr maps) {
    unsigned number = func.getNumArguments() - maps.size();
    for (Attribute map : maps) {
      for (NamedAttribute each : attributesOf(map))
        func.setArgAttr(number, each.getName(), each.getValue());
      func.setArgAttr(number++, NVVM::NVVMDialect::getGridConstantAttrName(),
                      UnitAttr::get(func.getContext()));
    }
    func->removeAttr(weft::tensorMapsAttr);
  }
};

} // namespace
