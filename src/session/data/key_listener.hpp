// KeyListener: observer of key changes: the seam between the keyspace and WATCH and keyspace
// events. Owned by the engine; one thread: the loop's.
#pragma once

#include <string_view>

namespace meridian::session {

class KeyListener {
 public:
  virtual ~KeyListener() = default;
  // By a command, by another data center, by expiry or by eviction.
  virtual void OnModified(std::string_view key) = 0;
  // By a command: there was none of that name.
  virtual void OnNew(std::string_view key) = 0;
  // All keys are about to be modified.
  virtual void OnFlushing() = 0;
  virtual void OnExpired(std::string_view key) = 0;
  virtual void OnEvicted(std::string_view key) = 0;
};

}  // namespace meridian::session
