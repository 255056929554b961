#include "store/clock_file.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "base/hybrid_clock.hpp"
#include "base/log.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/limits.hpp"

namespace meridian::store {
namespace {

// So far apart that no disk writes both slots at once.
constexpr uint64_t kSlotDistance = 4096;
constexpr uint64_t kSlots = 2;
constexpr std::string_view kMagic = "MRDNCLK1";
// Magic, u64 bound, u32 CRC-32C of these; big-endian.
using Slot = std::array<uint8_t, 20>;

Slot EncodeSlot(HybridTime bound) {
  Slot slot{};
  ByteWriter writer(slot);
  writer.Append(AsBytes(kMagic));
  writer.U64(bound.bits);
  writer.U32(Crc32c(writer.written()));
  return slot;
}

std::optional<HybridTime> DecodeSlot(Bytes bytes) {
  ByteReader reader(bytes);
  std::string_view magic = AsText(reader.Take(kMagic.size()));
  HybridTime bound{reader.U64()};
  Bytes fields = bytes.first(reader.offset());
  uint32_t crc = reader.U32();
  if (!reader.ok() || magic != kMagic || crc != Crc32c(fields)) return std::nullopt;
  return bound;
}

}  // namespace

ClockFile::ClockFile(io::Loop& loop, io::Disk& disk, HybridClock& clock, ClockFileOptions options)
    : disk_(disk), clock_(clock), options_(std::move(options)), scope_(loop) {}

io::Task<Result<std::unique_ptr<ClockFile>>> ClockFile::Open(io::Loop& loop, io::Disk& disk,
                                                             HybridClock& clock,
                                                             ClockFileOptions options) {
  std::unique_ptr<ClockFile> opened(new ClockFile(loop, disk, clock, std::move(options)));
  if (auto loaded = co_await opened->Load(); !loaded) co_return Fail(loaded.error());
  clock.StartAt(opened->written_);
  if (auto raised = co_await opened->Raise({}); !raised) co_return Fail(raised.error());
  opened->scope_.Spawn(opened->KeepRaising());
  co_return opened;
}

io::Task<void> ClockFile::Close() {
  scope_.Cancel();
  co_await scope_.Join();
}

io::Task<Result<void>> ClockFile::Load() {
  if (auto made = co_await disk_.MakeFolder(options_.folder); !made) co_return made;
  auto file = co_await disk_.Open(Path(), io::OpenMode::kWrite);
  if (!file && file.error().code == Errc::kNotFound) co_return co_await Make();
  if (!file) co_return Fail(file.error());
  file_ = std::move(*file);
  bool found = false;
  for (uint64_t i = 0; i < kSlots; ++i) {
    Slot slot{};
    auto got = co_await file_->ReadAt(i * kSlotDistance, slot);
    if (!got) co_return Fail(got.error());
    std::optional<HybridTime> bound = DecodeSlot(Bytes(slot).first(*got));
    if (!bound || *bound < written_) continue;
    found = true;
    written_ = *bound;
    next_slot_ = (i + 1) % kSlots;
  }
  if (!found) co_return Fail(Errc::kIo, "{} is damaged: no bound can be read", Path());
  co_return Result<void>{};
}

// The file gets its name only when a slot in it can be read.
io::Task<Result<void>> ClockFile::Make() {
  std::string partial = Path() + ".partial";
  auto file = co_await disk_.Open(partial, io::OpenMode::kCreate);
  if (!file) co_return Fail(file.error());
  file_ = std::move(*file);
  if (auto written = co_await Write(clock_.last()); !written) co_return written;
  if (auto renamed = co_await disk_.Rename(partial, Path()); !renamed) co_return renamed;
  co_return co_await disk_.SyncFolder(options_.folder);
}

io::Task<Result<void>> ClockFile::Observe(HybridTime remote) {
  if (Result<void> plausible = clock_.CheckSkew(remote); !plausible) co_return plausible;
  while (remote.Next() >= clock_.bound()) {
    if (auto raised = co_await Raise(remote); !raised) co_return raised;
  }
  co_return clock_.Observe(remote);
}

// One raise at a time; a fiber that has waited checks again whether a raise is still needed.
io::Task<Result<void>> ClockFile::Raise(HybridTime above) {
  if (raising_) co_return co_await raised_.Wait();
  HybridTime bound = clock_.WantedBound(kClockBoundWindow, above);
  if (bound <= written_) co_return Result<void>{};
  raising_ = true;
  Result<void> written = co_await Write(bound);
  raising_ = false;
  if (written) {
    written_ = bound;
    clock_.SetBound(bound);
  }
  raised_.WakeAll();
  co_return written;
}

io::Task<Result<void>> ClockFile::Write(HybridTime bound) {
  if (failed_) co_return Fail(Errc::kIo, "{}: its disk has failed", Path());
  Slot slot = EncodeSlot(bound);
  auto written = co_await file_->WriteAt(next_slot_ * kSlotDistance, slot);
  if (!written) co_return written;
  auto synced = co_await file_->Sync();
  if (synced) next_slot_ = (next_slot_ + 1) % kSlots;
  if (!synced && synced.error().code != Errc::kCancelled) {
    options_.on_disk_failure(synced.error());
    failed_ = true;
  }
  co_return synced;
}

io::Task<void> ClockFile::KeepRaising() {
  io::Loop& loop = (co_await io::ThisFiber{}).loop();
  RecurringProblem problem;
  while (co_await io::Sleep(kClockBoundInterval)) {
    Result<void> raised = co_await Raise({});
    if (raised) problem.OnSolved();
    if (raised || raised.error().code == Errc::kCancelled) continue;
    if (!problem.OnProblem(raised.error().message, loop.Now())) continue;
    LOG_WARNING("the clock's bound could not be raised", {"file", Path()},
                {"error", raised.error().message});
  }
}

}  // namespace meridian::store
