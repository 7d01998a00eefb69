// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The Varlink interface io.rootview, as systemd's library wants it written down.
 * It is the reference of the socket: what a method does is said here, once.
 */
#include "interface.h"

/*
 * Types.
 */

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Origin,
	SD_VARLINK_FIELD_COMMENT("Name of the origin and of its device-mapper device"),
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Path of the read-only device"),
	SD_VARLINK_DEFINE_FIELD(device, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Its device number, MAJOR:MINOR"),
	SD_VARLINK_DEFINE_FIELD(number, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Number of the block device that it reads, MAJOR:MINOR"),
	SD_VARLINK_DEFINE_FIELD(backing, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Size in sectors of 512 bytes"),
	SD_VARLINK_DEFINE_FIELD(sectors, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Type of its file system, if it is mounted"),
	SD_VARLINK_DEFINE_FIELD(fileSystem, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("SELinux label of its files in views that ask for none"),
	SD_VARLINK_DEFINE_FIELD(label, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Whether the labels stored in the image are kept"),
	SD_VARLINK_DEFINE_FIELD(native, SD_VARLINK_BOOL, 0),
	SD_VARLINK_FIELD_COMMENT("Superblocks over it now, that of its own file system among them"),
	SD_VARLINK_DEFINE_FIELD(variants, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Number of its life-cycle events so far"),
	SD_VARLINK_DEFINE_FIELD(generation, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Views now"),
	SD_VARLINK_DEFINE_FIELD(views, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Views ever created"),
	SD_VARLINK_DEFINE_FIELD(viewsCreated, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Views ever deleted"),
	SD_VARLINK_DEFINE_FIELD(viewsDeleted, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Reads that the device passed on: what no page cache had"),
	SD_VARLINK_DEFINE_FIELD(reads, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("What these asked for, in sectors of 512 bytes"),
	SD_VARLINK_DEFINE_FIELD(readSectors, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Requests other than reads, all of them failed"),
	SD_VARLINK_DEFINE_FIELD(refusedRequests, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Reads that the block device failed"),
	SD_VARLINK_DEFINE_FIELD(readErrors, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_ENUM_TYPE(
	MountPointKind,
	SD_VARLINK_DEFINE_ENUM_VALUE(directory),
	SD_VARLINK_DEFINE_ENUM_VALUE(file),
	SD_VARLINK_FIELD_COMMENT("A symbolic link, which nothing is mounted on"),
	SD_VARLINK_DEFINE_ENUM_VALUE(link),
	SD_VARLINK_FIELD_COMMENT(
		"A directory of mode 01777: a tmpfs that is mounted there takes the mode over"),
	SD_VARLINK_DEFINE_ENUM_VALUE(tmpfs));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	MountPoint,
	SD_VARLINK_FIELD_COMMENT(
		"Absolute path in the container, without \"..\", at most 4095 bytes"),
	SD_VARLINK_DEFINE_FIELD(path, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("What is made if the image lacks it; a directory if absent"),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(kind, MountPointKind, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Where a link leads to"),
	SD_VARLINK_DEFINE_FIELD(target, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	IdRange,
	SD_VARLINK_FIELD_COMMENT("First id, as the image stores it"),
	SD_VARLINK_DEFINE_FIELD(inside, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("First id, as the host sees it"),
	SD_VARLINK_DEFINE_FIELD(outside, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("How many; at least 1"),
	SD_VARLINK_DEFINE_FIELD(count, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	IdMap,
	SD_VARLINK_FIELD_COMMENT("Of user ids; 1 to 32 ranges that do not overlap"),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(uid, IdRange, SD_VARLINK_ARRAY),
	SD_VARLINK_FIELD_COMMENT("Of group ids; likewise"),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(gid, IdRange, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Warning,
	SD_VARLINK_FIELD_COMMENT(
		"mprotectUnchecked: the kernel does not check mprotect() against the view's own "
		"label"),
	SD_VARLINK_DEFINE_FIELD(warning, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("A sentence"),
	SD_VARLINK_DEFINE_FIELD(message, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	View,
	SD_VARLINK_FIELD_COMMENT("Name of its origin"),
	SD_VARLINK_DEFINE_FIELD(origin, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Its name, unique on the origin"),
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Its number, never used again while the module is loaded"),
	SD_VARLINK_DEFINE_FIELD(id, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Its own SELinux label; absent if it has the origin's"),
	SD_VARLINK_DEFINE_FIELD(label, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Whether it is a device alone, and not mounted"),
	SD_VARLINK_DEFINE_FIELD(deviceOnly, SD_VARLINK_BOOL, 0),
	SD_VARLINK_FIELD_COMMENT(
		"Where all views that asked for the same are mounted, for root alone; absent for a"
		" device alone, and while it is not mounted"),
	SD_VARLINK_DEFINE_FIELD(path, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Path of the read-only block device that it reads"),
	SD_VARLINK_DEFINE_FIELD(device, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Mount points that it asked for"),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(mountPoints, MountPoint,
					SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Who owns the files, if not whom the image says"),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(idMap, IdMap, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Its container's cgroup"),
	SD_VARLINK_DEFINE_FIELD(cgroup, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("The process at whose end it is deleted"),
	SD_VARLINK_DEFINE_FIELD(process, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("What the running kernel cannot do for it"),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(warnings, Warning,
					SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("When it was created, in microseconds of CLOCK_BOOTTIME"),
	SD_VARLINK_DEFINE_FIELD(createdUSec, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	ViewRequest,
	SD_VARLINK_FIELD_COMMENT("Name of the new view: visible ASCII without '/', at most 127"),
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT(
		"SELinux label for all its files, instead of the origin's; \"native\" for those that"
		" the image stores, which an origin has that was added with it"),
	SD_VARLINK_DEFINE_FIELD(label, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT(
		"Whether it is a device alone: what cannot be mounted, or need not be; false if"
		" absent"),
	SD_VARLINK_DEFINE_FIELD(deviceOnly, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT(
		"What the container will mount on; at most 1024.  What the image lacks "
		"is supplied"),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(mountPoints, MountPoint,
					SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT(
		"The same, by ready-made lists: docker, podman, kubernetes, containerd"),
	SD_VARLINK_DEFINE_FIELD(lists, SD_VARLINK_STRING, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Who shall own the files"),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(idMap, IdMap, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT(
		"The same, as the index of a user namespace's descriptor that is sent "
		"along"),
	SD_VARLINK_DEFINE_FIELD(userNamespace, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("The container's cgroup, as in /proc/PID/cgroup: say, /POD"),
	SD_VARLINK_DEFINE_FIELD(cgroup, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Id of a process: the view is deleted when that ends"),
	SD_VARLINK_DEFINE_FIELD(process, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("The same, as the index of a pidfd that is sent along"),
	SD_VARLINK_DEFINE_FIELD(processDescriptor, SD_VARLINK_INT, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Refusal,
	SD_VARLINK_FIELD_COMMENT("Name of one of this interface's errors"),
	SD_VARLINK_DEFINE_FIELD(error, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("A sentence"),
	SD_VARLINK_DEFINE_FIELD(message, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Its other parameters, as that error has them"),
	SD_VARLINK_DEFINE_FIELD(parameters, SD_VARLINK_OBJECT, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Result,
	SD_VARLINK_FIELD_COMMENT("Name of the view; absent if there is none of the id asked for"),
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("The view, if it was created"),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(view, View, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Why it was refused, if it was"),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(refusal, Refusal, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Stats,
	SD_VARLINK_DEFINE_FIELD(origin, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(cgroup, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT(
		"Reads of the origin's device by the cgroup and those below it; absent "
		"if the cgroup is gone or has no io.stat"),
	SD_VARLINK_DEFINE_FIELD(reads, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(readBytes, SD_VARLINK_INT, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_ENUM_TYPE(
	EventType,
	SD_VARLINK_FIELD_COMMENT("The first of every stream: what came before is not told"),
	SD_VARLINK_DEFINE_ENUM_VALUE(ready),
	SD_VARLINK_DEFINE_ENUM_VALUE(originAdded),
	SD_VARLINK_FIELD_COMMENT("With all views that it had"),
	SD_VARLINK_DEFINE_ENUM_VALUE(originRemoved),
	SD_VARLINK_FIELD_COMMENT("Its block device fails reads"),
	SD_VARLINK_DEFINE_ENUM_VALUE(originFailed),
	SD_VARLINK_DEFINE_ENUM_VALUE(viewCreated),
	SD_VARLINK_FIELD_COMMENT("On request: there is none for a view that goes with its origin"),
	SD_VARLINK_DEFINE_ENUM_VALUE(viewDeleted),
	SD_VARLINK_FIELD_COMMENT("Events of the kernel were lost: list everything again"),
	SD_VARLINK_DEFINE_ENUM_VALUE(lost));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Event,
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(type, EventType, 0),
	SD_VARLINK_FIELD_COMMENT("Name of the origin; absent for ready and lost"),
	SD_VARLINK_DEFINE_FIELD(origin, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Number of this event among the origin's"),
	SD_VARLINK_DEFINE_FIELD(generation, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Name and id of the view, in events about one"),
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(id, SD_VARLINK_INT, SD_VARLINK_NULLABLE));

/*
 * Methods.
 */

static SD_VARLINK_DEFINE_METHOD(
	AddOrigin,
	SD_VARLINK_FIELD_COMMENT("ASCII letters, digits and #+-.:=@_, at most 119 of them"),
	SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Absolute path of the block device with the root file system"),
	SD_VARLINK_DEFINE_INPUT(device, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Or the index of a descriptor of it that is sent along"),
	SD_VARLINK_DEFINE_INPUT(deviceDescriptor, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT(
		"SELinux label of all files in views that ask for none: a context, "
		"\"native\" for those that the image stores, or absent for the policy's"
		" label of shared files"),
	SD_VARLINK_DEFINE_INPUT(label, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(origin, Origin, 0));

static SD_VARLINK_DEFINE_METHOD(
	RemoveOrigin,
	SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_METHOD_FULL(
	ListOrigins, SD_VARLINK_SUPPORTS_MORE,
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(origins, Origin, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(
	CreateView,
	SD_VARLINK_FIELD_COMMENT("Name of the origin"),
	SD_VARLINK_DEFINE_INPUT(origin, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("This and what follows: as in ViewRequest"),
	SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_INPUT(label, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_INPUT(deviceOnly, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_INPUT_BY_TYPE(mountPoints, MountPoint,
					SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_INPUT(lists, SD_VARLINK_STRING, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_INPUT_BY_TYPE(idMap, IdMap, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_INPUT(userNamespace, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_INPUT(cgroup, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_INPUT(process, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_INPUT(processDescriptor, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(view, View, 0));

static SD_VARLINK_DEFINE_METHOD(
	CreateViews,
	SD_VARLINK_FIELD_COMMENT("Name of the origin"),
	SD_VARLINK_DEFINE_INPUT(origin, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("1 to 1024 views, in at most 4 MiB"),
	SD_VARLINK_DEFINE_INPUT_BY_TYPE(views, ViewRequest, SD_VARLINK_ARRAY),
	SD_VARLINK_FIELD_COMMENT("One for each, in the same order"),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(results, Result, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(
	DeleteViews,
	SD_VARLINK_FIELD_COMMENT("Name of the origin"),
	SD_VARLINK_DEFINE_INPUT(origin, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Names of 1 to 1024 views"),
	SD_VARLINK_DEFINE_INPUT(names, SD_VARLINK_STRING, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Or their ids, which a successor of the same name does not have"),
	SD_VARLINK_DEFINE_INPUT(ids, SD_VARLINK_INT, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT(
		"One for each, in the same order, without a view"),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(results, Result, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(
	OpenView,
	SD_VARLINK_FIELD_COMMENT("Name of the origin"),
	SD_VARLINK_DEFINE_INPUT(origin, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Name of the view, or its id, or both: then both must hold"),
	SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_INPUT(id, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(view, View, 0),
	SD_VARLINK_FIELD_COMMENT("Index of the mount among the descriptors that come along"),
	SD_VARLINK_DEFINE_OUTPUT(descriptor, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_METHOD(
	CheckMountPoints,
	SD_VARLINK_DEFINE_INPUT(origin, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_INPUT_BY_TYPE(mountPoints, MountPoint,
					SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_INPUT(lists, SD_VARLINK_STRING, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT(
		"Those that the image lacks, with symbolic links on the way resolved"),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(missing, MountPoint, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD_FULL(
	GetStats, SD_VARLINK_SUPPORTS_MORE,
	SD_VARLINK_FIELD_COMMENT("Name of an origin; absent for all"),
	SD_VARLINK_DEFINE_INPUT(origin, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Name of one view of it; absent for all"),
	SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Of the views that named a cgroup"),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(stats, Stats, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD_FULL(
	Monitor, SD_VARLINK_REQUIRES_MORE,
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(event, Event, 0));

static SD_VARLINK_DEFINE_METHOD(
	DeleteView,
	SD_VARLINK_FIELD_COMMENT("Name of the origin"),
	SD_VARLINK_DEFINE_INPUT(origin, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Name of the view, or its id, or both: then both must hold"),
	SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_INPUT(id, SD_VARLINK_INT, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD_FULL(
	ListViews, SD_VARLINK_SUPPORTS_MORE,
	SD_VARLINK_FIELD_COMMENT("Name of an origin; absent for the views of all"),
	SD_VARLINK_DEFINE_INPUT(origin, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Name or id of one view of it, or both; absent for all"),
	SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_INPUT(id, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(views, View, SD_VARLINK_ARRAY));

/*
 * Errors.  Each names its object, and has a sentence for people.
 */

#define MESSAGE SD_VARLINK_DEFINE_FIELD(message, SD_VARLINK_STRING, 0)

static SD_VARLINK_DEFINE_ERROR(OriginExists,
	SD_VARLINK_FIELD_COMMENT("Of the origin that has the name, or the device, already"),
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(NoSuchOrigin,
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(OriginBusy,
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Its views; 0 if something else has the device open or mounted"),
	SD_VARLINK_DEFINE_FIELD(views, SD_VARLINK_INT, 0), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(NoSuchDevice,
	SD_VARLINK_FIELD_COMMENT("Its path; absent if it came as a descriptor"),
	SD_VARLINK_DEFINE_FIELD(device, SD_VARLINK_STRING, SD_VARLINK_NULLABLE), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(NoSuchView,
	SD_VARLINK_DEFINE_FIELD(origin, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("As it was asked for: by name, by id, or by both"),
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(id, SD_VARLINK_INT, SD_VARLINK_NULLABLE), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(ViewExists,
	SD_VARLINK_DEFINE_FIELD(origin, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(InvalidName,
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(InvalidLabel,
	SD_VARLINK_DEFINE_FIELD(label, SD_VARLINK_STRING, 0), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(LabelsUnavailable,
	SD_VARLINK_DEFINE_FIELD(label, SD_VARLINK_STRING, 0), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(UnsupportedFileSystem,
	SD_VARLINK_DEFINE_FIELD(origin, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Its type; absent if none was recognised"),
	SD_VARLINK_DEFINE_FIELD(fileSystem, SD_VARLINK_STRING, SD_VARLINK_NULLABLE), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(NeedsRecovery,
	SD_VARLINK_DEFINE_FIELD(origin, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(fileSystem, SD_VARLINK_STRING, SD_VARLINK_NULLABLE), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(InvalidRequest,
	SD_VARLINK_FIELD_COMMENT("The parameter that does not fit the others"),
	SD_VARLINK_DEFINE_FIELD(parameter, SD_VARLINK_STRING, 0), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(InvalidMountPoint,
	SD_VARLINK_DEFINE_FIELD(path, SD_VARLINK_STRING, 0), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(InvalidIdMap, MESSAGE);

static SD_VARLINK_DEFINE_ERROR(NoSuchCgroup,
	SD_VARLINK_DEFINE_FIELD(cgroup, SD_VARLINK_STRING, 0), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(NoSuchProcess, MESSAGE);

static SD_VARLINK_DEFINE_ERROR(NotSupported,
	SD_VARLINK_FIELD_COMMENT("What the running kernel cannot do"),
	SD_VARLINK_DEFINE_FIELD(feature, SD_VARLINK_STRING, 0), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(TooMany,
	SD_VARLINK_FIELD_COMMENT(
		"What there are too many of: views, mountPoints, descriptors, "
		"connections, requests; bytes of JSON, of what is asked for (before anything "
		"is done) or of the answer (a list comes in parts to who calls with \"more\")"),
	SD_VARLINK_DEFINE_FIELD(what, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(limit, SD_VARLINK_INT, 0), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(OperationFailed,
	SD_VARLINK_FIELD_COMMENT("What was worked on"),
	SD_VARLINK_DEFINE_FIELD(object, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("What was being done"),
	SD_VARLINK_DEFINE_FIELD(step, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Why it failed"),
	SD_VARLINK_DEFINE_FIELD(reason, SD_VARLINK_STRING, 0), MESSAGE);

SD_VARLINK_DEFINE_INTERFACE(
	io_rootview, ROOTVIEW_INTERFACE,
	SD_VARLINK_INTERFACE_COMMENT(
		"Read-only views of shared root file systems.  An origin is a block device with "
		"one image's root file system; a view is one container's named use of it.  The "
		"kernel keeps both: they survive the daemon."),
	SD_VARLINK_SYMBOL_COMMENT("An origin, as the kernel counts it"),
	&vl_type_Origin,
	SD_VARLINK_SYMBOL_COMMENT("Something that a view is asked for and does not have in full"),
	&vl_type_Warning,
	SD_VARLINK_SYMBOL_COMMENT("A view"),
	&vl_type_View,
	SD_VARLINK_SYMBOL_COMMENT("What a container will mount on, or an engine would create"),
	&vl_type_MountPointKind,
	SD_VARLINK_SYMBOL_COMMENT("A path that a container will mount on"),
	&vl_type_MountPoint,
	SD_VARLINK_SYMBOL_COMMENT("Ids of the image that follow each other on the host, too"),
	&vl_type_IdRange,
	SD_VARLINK_SYMBOL_COMMENT("Whom the files belong to, for the host"),
	&vl_type_IdMap,
	SD_VARLINK_SYMBOL_COMMENT("A view to be created"),
	&vl_type_ViewRequest,
	SD_VARLINK_SYMBOL_COMMENT("An error of one part of a batch"),
	&vl_type_Refusal,
	SD_VARLINK_SYMBOL_COMMENT("What became of one part of a batch"),
	&vl_type_Result,
	SD_VARLINK_SYMBOL_COMMENT("What a view's container read from the disk"),
	&vl_type_Stats,
	SD_VARLINK_SYMBOL_COMMENT("What has happened"),
	&vl_type_EventType,
	SD_VARLINK_SYMBOL_COMMENT("A life-cycle event"),
	&vl_type_Event,
	SD_VARLINK_SYMBOL_COMMENT(
		"Exposes a block device read-only under a name, and mounts its file system"),
	&vl_method_AddOrigin,
	SD_VARLINK_SYMBOL_COMMENT(
		"Takes an origin without views away; the block device is left as it was"),
	&vl_method_RemoveOrigin,
	SD_VARLINK_SYMBOL_COMMENT(
		"Tells of all origins; with \"more\" in several answers, if need be"),
	&vl_method_ListOrigins,
	SD_VARLINK_SYMBOL_COMMENT(
		"Creates a view and mounts it.  Of a request that fails, nothing is left"),
	&vl_method_CreateView,
	SD_VARLINK_SYMBOL_COMMENT(
		"Deletes a view.  Who was given it goes on with it"),
	&vl_method_DeleteView,
	SD_VARLINK_SYMBOL_COMMENT(
		"Tells of all views, of those of one origin, or of one; with \"more\" in several answers, "
		"if need be"),
	&vl_method_ListViews,
	SD_VARLINK_SYMBOL_COMMENT(
		"Creates many views in one call; each stands for itself, whatever became of the "
		"others"),
	&vl_method_CreateViews,
	SD_VARLINK_SYMBOL_COMMENT("Deletes many views in one call"),
	&vl_method_DeleteViews,
	SD_VARLINK_SYMBOL_COMMENT(
		"Gives out a view as a descriptor of a mount that is attached nowhere, as often as "
		"asked; its user alone holds it, whatever becomes of the view"),
	&vl_method_OpenView,
	SD_VARLINK_SYMBOL_COMMENT("Tells which paths the image lacks, without making anything"),
	&vl_method_CheckMountPoints,
	SD_VARLINK_SYMBOL_COMMENT(
		"Tells who paid for the cold reads; with \"more\" in several answers, if need be"),
	&vl_method_GetStats,
	SD_VARLINK_SYMBOL_COMMENT("A stream of life-cycle events"),
	&vl_method_Monitor,
	SD_VARLINK_SYMBOL_COMMENT(
		"A device-mapper device of that name is there already, another request is adding or"
		" removing it, or the device is an origin"),
	&vl_error_OriginExists,
	SD_VARLINK_SYMBOL_COMMENT("The kernel knows no origin of that name"),
	&vl_error_NoSuchOrigin,
	SD_VARLINK_SYMBOL_COMMENT(
		"The origin has views, or some in the making, or its device is in use otherwise; or"
		" it is being removed"),
	&vl_error_OriginBusy,
	SD_VARLINK_SYMBOL_COMMENT("The path leads to no usable block device"),
	&vl_error_NoSuchDevice,
	SD_VARLINK_SYMBOL_COMMENT("The origin has no view of that name"),
	&vl_error_NoSuchView,
	SD_VARLINK_SYMBOL_COMMENT(
		"The origin has a view of that name already, or another request is creating it"),
	&vl_error_ViewExists,
	SD_VARLINK_SYMBOL_COMMENT("The name is not one that an origin or a view may have"),
	&vl_error_InvalidName,
	SD_VARLINK_SYMBOL_COMMENT(
		"The label is no valid SELinux context in the loaded policy, has more than 255 bytes,"
		" or is \"native\" where all files of the origin have one label"),
	&vl_error_InvalidLabel,
	SD_VARLINK_SYMBOL_COMMENT("A label was asked for, and SELinux is off"),
	&vl_error_LabelsUnavailable,
	SD_VARLINK_SYMBOL_COMMENT("A parameter does not fit the others, or is out of its range"),
	&vl_error_InvalidRequest,
	SD_VARLINK_SYMBOL_COMMENT("That path cannot be a mount point in the image"),
	&vl_error_InvalidMountPoint,
	SD_VARLINK_SYMBOL_COMMENT("The id map has no, too many, overlapping or impossible ranges"),
	&vl_error_InvalidIdMap,
	SD_VARLINK_SYMBOL_COMMENT("There is no such cgroup"),
	&vl_error_NoSuchCgroup,
	SD_VARLINK_SYMBOL_COMMENT("There is no such process"),
	&vl_error_NoSuchProcess,
	SD_VARLINK_SYMBOL_COMMENT(
		"The running kernel is too old for what was asked, or has it switched off"),
	&vl_error_NotSupported,
	SD_VARLINK_SYMBOL_COMMENT("A limit would be passed"),
	&vl_error_TooMany,
	SD_VARLINK_SYMBOL_COMMENT("The origin's file system is none of ext4, xfs, erofs, squashfs"),
	&vl_error_UnsupportedFileSystem,
	SD_VARLINK_SYMBOL_COMMENT(
		"The file system was not unmounted cleanly; a journal is never replayed here"),
	&vl_error_NeedsRecovery,
	SD_VARLINK_SYMBOL_COMMENT("The machine failed: what was worked on, at which step, and why"),
	&vl_error_OperationFailed);
