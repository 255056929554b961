// The handlers of all commands, by family; the table in command_table.cpp refers to them. Behaviour
// and error texts are those of Redis 7 (redis.io/commands).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "session/data/collections.hpp"
#include "session/data/keyspace.hpp"
#include "session/engine/command.hpp"

namespace meridian::session {

// string.cpp
void Get(Call& call);
void Set(Call& call);
void SetEx(Call& call);
void PSetEx(Call& call);
void SetNx(Call& call);
void GetSet(Call& call);
void GetDel(Call& call);
void GetEx(Call& call);
void MGet(Call& call);
void MSet(Call& call);
void MSetNx(Call& call);
void AppendText(Call& call);
void StrLen(Call& call);
void GetRange(Call& call);
void SetRange(Call& call);
// counter.cpp
void Incr(Call& call);
void Decr(Call& call);
void IncrBy(Call& call);
void DecrBy(Call& call);
void IncrByFloat(Call& call);
// hash.cpp
void HSet(Call& call);
void HMSet(Call& call);
void HSetNx(Call& call);
void HGet(Call& call);
void HMGet(Call& call);
void HGetAll(Call& call);
void HKeys(Call& call);
void HVals(Call& call);
void HDel(Call& call);
void HExists(Call& call);
void HLen(Call& call);
void HStrLen(Call& call);
void HIncrBy(Call& call);
void HIncrByFloat(Call& call);
void HRandField(Call& call);
// set.cpp
void SAdd(Call& call);
void SRem(Call& call);
void SMembers(Call& call);
void SIsMember(Call& call);
void SMIsMember(Call& call);
void SCard(Call& call);
void SPop(Call& call);
void SRandMember(Call& call);
void SMove(Call& call);
// set_algebra.cpp
void SInter(Call& call);
void SUnion(Call& call);
void SDiff(Call& call);
void SInterStore(Call& call);
void SUnionStore(Call& call);
void SDiffStore(Call& call);
void SInterCard(Call& call);
// key.cpp
void Del(Call& call);
void Exists(Call& call);
void Touch(Call& call);
void Type(Call& call);
void Rename(Call& call);
void RenameNx(Call& call);
void CopyKey(Call& call);
void RandomKey(Call& call);
void DbSize(Call& call);
void FlushAll(Call& call);
// object.cpp
void ObjectCommand(Call& call);
void MemoryCommand(Call& call);
// expiry.cpp
void Expire(Call& call);
void PExpire(Call& call);
void ExpireAt(Call& call);
void PExpireAt(Call& call);
void Ttl(Call& call);
void PTtl(Call& call);
void ExpireTime(Call& call);
void PExpireTime(Call& call);
void Persist(Call& call);
// scan.cpp
void Keys(Call& call);
void Scan(Call& call);
void HScan(Call& call);
void SScan(Call& call);
// connection.cpp
void Ping(Call& call);
void Echo(Call& call);
void Auth(Call& call);
void AclCommand(Call& call);
void Hello(Call& call);
void Select(Call& call);
void Quit(Call& call);
void Reset(Call& call);
// client.cpp
void ClientCommand(Call& call);
// server.cpp
void Info(Call& call);
void Time(Call& call);
void Wait(Call& call);
void Role(Call& call);
// config.cpp
void Config(Call& call);
// command.cpp
void CommandCommand(Call& call);
// transaction.cpp
void Multi(Call& call);
void Exec(Call& call);
void Discard(Call& call);
void Watch(Call& call);
void Unwatch(Call& call);
// pubsub.cpp
void Subscribe(Call& call);
void Unsubscribe(Call& call);
void PSubscribe(Call& call);
void PUnsubscribe(Call& call);
void Publish(Call& call);
void PubSub(Call& call);

// What several families need.

enum class TimeUnit : uint8_t { kSeconds, kMilliseconds };
enum class TimeBase : uint8_t { kFromNow, kAbsolute };
// The expiry that argument `i` states, in milliseconds since the Unix epoch. Nothing: an error
// reply was written, as it is no integer, or (when it must be positive) no valid time.
struct EndOptions {
  TimeUnit unit = TimeUnit::kSeconds;
  TimeBase base = TimeBase::kFromNow;
  bool must_be_positive = false;
};
std::optional<int64_t> ReadEnd(const Call& call, size_t i, EndOptions options);

// Visits the pairs from argument `first` on, by the index of their names. If a name occurs several
// times, only its last pair is visited: all would have the same stamp, so none would win the merge.
void ForEachPair(const Call& call, size_t first, const std::function<void(size_t)>& visit);
// The string at a key; nothing when there is none. It holds until the next ReadText or write.
// False: the key has another type, and an error reply was written.
bool ReadText(const Call& call, std::string_view key, std::optional<std::string_view>* text);
// The hash (set) at a key, or null. False: the key has another type, and an error reply was
// written.
bool ReadFields(const Call& call, std::string_view key, const Fields** fields);
bool ReadMembers(const Call& call, std::string_view key, const Members** members);
// After elements were taken out of a hash or set.
void NotifyIfGone(const Call& call, std::string_view key);

}  // namespace meridian::session
