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
	SD_VARLINK_FIELD_COMMENT("Where it is mounted; absent if it could not be mounted"),
	SD_VARLINK_DEFINE_FIELD(path, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("When it was created, in microseconds of CLOCK_BOOTTIME"),
	SD_VARLINK_DEFINE_FIELD(createdUSec, SD_VARLINK_INT, 0));

/*
 * Methods.
 */

static SD_VARLINK_DEFINE_METHOD(
	AddOrigin,
	SD_VARLINK_FIELD_COMMENT("ASCII letters, digits and #+-.:=@_, at most 119 of them"),
	SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Absolute path of the block device with the root file system"),
	SD_VARLINK_DEFINE_INPUT(device, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(origin, Origin, 0));

static SD_VARLINK_DEFINE_METHOD(
	RemoveOrigin,
	SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_METHOD(
	ListOrigins,
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(origins, Origin, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(
	CreateView,
	SD_VARLINK_FIELD_COMMENT("Name of the origin"),
	SD_VARLINK_DEFINE_INPUT(origin, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Name of the new view: visible ASCII without '/', at most 127"),
	SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("SELinux label for all its files, instead of the origin's"),
	SD_VARLINK_DEFINE_INPUT(label, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(view, View, 0));

static SD_VARLINK_DEFINE_METHOD(
	DeleteView,
	SD_VARLINK_FIELD_COMMENT("Name of the origin"),
	SD_VARLINK_DEFINE_INPUT(origin, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Name of the view"),
	SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_METHOD(
	ListViews,
	SD_VARLINK_FIELD_COMMENT("Name of an origin; absent for the views of all"),
	SD_VARLINK_DEFINE_INPUT(origin, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(views, View, SD_VARLINK_ARRAY));

/*
 * Errors.  Each names its object, and has a sentence for people.
 */

#define MESSAGE SD_VARLINK_DEFINE_FIELD(message, SD_VARLINK_STRING, 0)

static SD_VARLINK_DEFINE_ERROR(OriginExists,
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(NoSuchOrigin,
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(OriginBusy,
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Its views; 0 if something else has the device open or mounted"),
	SD_VARLINK_DEFINE_FIELD(views, SD_VARLINK_INT, 0), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(NoSuchDevice,
	SD_VARLINK_DEFINE_FIELD(device, SD_VARLINK_STRING, 0), MESSAGE);

static SD_VARLINK_DEFINE_ERROR(NoSuchView,
	SD_VARLINK_DEFINE_FIELD(origin, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0), MESSAGE);

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
	SD_VARLINK_DEFINE_FIELD(fileSystem, SD_VARLINK_STRING, 0), MESSAGE);

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
	SD_VARLINK_SYMBOL_COMMENT("A view"),
	&vl_type_View,
	SD_VARLINK_SYMBOL_COMMENT(
		"Exposes a block device read-only under a name, and mounts its file system"),
	&vl_method_AddOrigin,
	SD_VARLINK_SYMBOL_COMMENT(
		"Takes an origin without views away; the block device is left as it was"),
	&vl_method_RemoveOrigin,
	SD_VARLINK_SYMBOL_COMMENT("Tells of all origins"),
	&vl_method_ListOrigins,
	SD_VARLINK_SYMBOL_COMMENT(
		"Creates a view and mounts it.  Of a request that fails, nothing is left"),
	&vl_method_CreateView,
	SD_VARLINK_SYMBOL_COMMENT(
		"Deletes a view.  Its path goes at once; who still uses files in it may go on"),
	&vl_method_DeleteView,
	SD_VARLINK_SYMBOL_COMMENT("Tells of all views, or of those of one origin"),
	&vl_method_ListViews,
	SD_VARLINK_SYMBOL_COMMENT("A device-mapper device of that name is there already"),
	&vl_error_OriginExists,
	SD_VARLINK_SYMBOL_COMMENT("The kernel knows no origin of that name"),
	&vl_error_NoSuchOrigin,
	SD_VARLINK_SYMBOL_COMMENT("The origin has views, or its device is in use otherwise"),
	&vl_error_OriginBusy,
	SD_VARLINK_SYMBOL_COMMENT("The path leads to no usable block device"),
	&vl_error_NoSuchDevice,
	SD_VARLINK_SYMBOL_COMMENT("The origin has no view of that name"),
	&vl_error_NoSuchView,
	SD_VARLINK_SYMBOL_COMMENT("The origin has a view of that name already"),
	&vl_error_ViewExists,
	SD_VARLINK_SYMBOL_COMMENT("The name is not one that an origin or a view may have"),
	&vl_error_InvalidName,
	SD_VARLINK_SYMBOL_COMMENT("The label is no valid SELinux context in the loaded policy"),
	&vl_error_InvalidLabel,
	SD_VARLINK_SYMBOL_COMMENT("A label was asked for, and SELinux is off"),
	&vl_error_LabelsUnavailable,
	SD_VARLINK_SYMBOL_COMMENT("The origin's file system is none of ext4, xfs, erofs, squashfs"),
	&vl_error_UnsupportedFileSystem,
	SD_VARLINK_SYMBOL_COMMENT(
		"The file system was not unmounted cleanly; a journal is never replayed here"),
	&vl_error_NeedsRecovery,
	SD_VARLINK_SYMBOL_COMMENT("The machine failed: what was worked on, at which step, and why"),
	&vl_error_OperationFailed);
