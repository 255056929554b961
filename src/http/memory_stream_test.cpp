#include "http/memory_stream.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace meridian::http {

std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> MemoryStream::Pair(
    size_t capacity) {
  auto a = std::make_unique<MemoryStream>();
  auto b = std::make_unique<MemoryStream>();
  a->other_ = b.get();
  b->other_ = a.get();
  a->capacity_ = b->capacity_ = capacity;
  return {std::move(a), std::move(b)};
}

Result<size_t> MemoryStream::TryRead(MutableBytes into) {
  if (closed_) return Fail(Errc::kClosed, "read: closed");
  if (reset_) return Fail(Errc::kReset, "read: reset");
  if (arrived_.empty()) return ended_ ? size_t{0} : kBlocked;
  size_t size = std::min(into.size(), arrived_.size());
  std::copy_n(arrived_.begin(), size, into.begin());
  arrived_.erase(0, size);
  if (other_ != nullptr) other_->NotifyWritable();
  return size;
}

Result<size_t> MemoryStream::TryWrite(std::span<const Bytes> pieces) {
  if (closed_ || shut_) return Fail(Errc::kClosed, "write: closed");
  if (reset_ || other_ == nullptr) return Fail(Errc::kReset, "write: reset");
  size_t room = capacity_ - other_->arrived_.size();
  size_t wanted = 0;
  for (Bytes piece : pieces) wanted += piece.size();
  if (wanted == 0) return size_t{0};
  if (room == 0) return kBlocked;
  ++writes_;
  size_t taken = 0;
  for (Bytes piece : pieces) {
    Bytes part = piece.first(std::min(piece.size(), room - taken));
    other_->arrived_ += AsText(part);
    taken += part.size();
  }
  other_->NotifyReadable();
  return taken;
}

void MemoryStream::ShutdownWrite() {
  shut_ = true;
  if (other_ == nullptr) return;
  other_->ended_ = true;
  other_->NotifyReadable();
  other_->NotifyHangup();
}

void MemoryStream::Close() {
  if (closed_) return;
  if (other_ != nullptr) {
    // As TCP does: what was not read makes the end a reset.
    if (!arrived_.empty()) return Abort();
    other_->ended_ = true;
    other_->other_ = nullptr;
    other_->NotifyReadable();
    other_->NotifyWritable();
    other_->NotifyHangup();
  }
  other_ = nullptr;
  closed_ = true;
  InterruptAll();
}

void MemoryStream::Abort() {
  if (closed_) return;
  if (MemoryStream* other = std::exchange(other_, nullptr)) {
    other->other_ = nullptr;
    other->reset_ = true;
    other->NotifyReadable();
    other->NotifyWritable();
    other->NotifyHangup();
  }
  closed_ = true;
  InterruptAll();
}

namespace {

TEST(MemoryStream, UnreadBytesMakeACloseAReset) {
  auto [a, b] = MemoryStream::Pair();
  Bytes data = AsBytes("x");
  EXPECT_EQ(a->TryWrite({&data, 1}).value(), 1u);
  b->Close();
  EXPECT_TRUE(a->hung_up());
}

}  // namespace
}  // namespace meridian::http
