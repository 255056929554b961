// SimStream: one end of a simulated connection. Owned by the code that connected or accepted it;
// private to io/sim. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/net/stream.hpp"
#include "io/sim/connection.hpp"

namespace meridian::io::sim {

class SimStream final : public Stream {
 public:
  SimStream(Fabric& fabric, std::shared_ptr<Connection> connection, Connection::Side side);
  ~SimStream() override { Close(); }

  void ShutdownWrite() override;
  void Close() override;
  void Abort() override;
  Endpoint local() const override { return connection_->end(side_).endpoint; }
  Endpoint peer() const override { return connection_->end(1 - side_).endpoint; }
  Result<size_t> TryRead(MutableBytes into) override;
  Result<size_t> TryWrite(std::span<const Bytes> pieces) override;
  Result<size_t> TryPeek(MutableBytes into) override;
  Result<size_t> TrySendFile(const File& file, FileSpan span) override;
  bool MaybeReadable() const override { return unread() > 0 || ended_ || over(); }
  bool hung_up() const override { return over() || (shut_ && ended_); }

  // Called by the connection.
  void OnConnected(bool accepted);
  void OnBytes(std::string_view bytes);
  void OnEnd();
  void OnReset();
  void OnWindow() { NotifyWritable(); }
  // Called when the process ended and its kernel closes this end.
  void CloseByKernel() { Leave(Leaving::kClose); }
  // From now on this end has no effect on its peer.
  void Sever();

 private:
  enum class State : uint8_t { kConnecting, kRefused, kOpen, kReset, kClosed };
  enum class Leaving : uint8_t { kClose, kReset };
  bool over() const {
    return state_ == State::kReset || state_ == State::kClosed || state_ == State::kRefused;
  }
  size_t unread() const { return received_.size() - taken_; }
  // Detaches from the connection and notifies the peer.
  void Leave(Leaving how);
  // The error of a read or write in the present state, if any.
  Result<void> Usable(std::string_view what) const;
  size_t SomeOf(size_t most);

  Fabric& fabric_;
  std::shared_ptr<Connection> connection_;
  Connection::Side side_;
  State state_;
  std::string received_;
  size_t taken_ = 0;    // bytes of received_ that were read
  bool shut_ = false;   // this side ended its direction
  bool ended_ = false;  // the peer ended its direction
};

}  // namespace meridian::io::sim
